"""Web pages of a loopback ExoFOP, all with status 200; texts that scripts look for are known, the markup is a guess."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head><title>ExoFOP TESS{title}</title></head>
<body>
<div id="menu"><a href="index.php">Home</a> {session}</div>
{body}
</body>
</html>
"""
_FORM = """<form action="password_check.php" method="post">
<input type="text" name="username"><input type="password" name="password">
<input type="hidden" name="ref" value="login_user"><input type="hidden" name="ref_page" value="/tess/">
<input type="submit" value="Login">
</form>"""


def page(body: str, *, title: str = "", logged_in: bool = False) -> bytes:
    """A page with the menu; the menu is the mark of a session: it says Logout or Login."""
    session = '<a href="logout.php">Logout</a>' if logged_in else '<a href="login.php?ref=%2Ftess%2F">Login</a>'
    return _PAGE.format(title=escape(title), session=session, body=body).encode()


def login_page() -> bytes:
    """What comes where a session is needed: a form that posts to `password_check.php`."""
    return page(f"<h1>Login</h1>\n{_FORM}", title=" - Login")


def wrong_password() -> bytes:
    """A login that failed is told with status 200."""
    return page(f"<p>Invalid username or password</p>\n{_FORM}", title=" - Login")


def not_authorized() -> bytes:
    """A refusal in words, without a form."""
    return page("<p>Sorry, you are not authorized to download this file.</p>")


def invalid_toi() -> bytes:
    """The answer of `download_toi.php` to a TOI that it does not know."""
    return page("<p>Sorry, entered TOI is invalid</p>")


def no_object() -> bytes:
    """The answer of `gototicid.php` to a name that it does not know."""
    return page("<p>No object found.</p>")


def no_file() -> bytes:
    """The answer of `get_file.php` to a number that it does not know."""
    return page("<p>Sorry, the file does not exist.</p>")


def target_page(tic_id: str, *, logged_in: bool) -> bytes:
    """The page of a target; it exists for numbers that are no star's, too."""
    body = f"<h1>TIC {escape(tic_id)}</h1>\n<table><tr><th>Parameter</th><th>Value</th></tr></table>"
    return page(body, title=f" - TIC {tic_id}", logged_in=logged_in)


def pick_list(stars: Iterable[tuple[int, str]]) -> bytes:
    """Several stars of one name: a table whose first cells lead to them."""
    rows = "\n".join(
        f'<tr><td><a href="target.php?id={tic_id}">{tic_id}</a></td><td>{escape(name)}</td></tr>'
        for tic_id, name in stars
    )
    return page(
        f'<p>Multiple targets found</p>\n<table class="tfop">\n<tr><th>TIC ID</th><th>Name</th></tr>\n{rows}\n</table>'
    )
