"""Given a member's cookie jar, what only members see is fetched and kept, too."""

from __future__ import annotations

from pathlib import Path

from tests.canaries import cookie_value, restricted_bytes, restricted_file_name, restricted_note, write_cookie_jar
from tests.doubles.exofop_double import ExoFopDouble
from tests.doubles.exofop_toi_1262 import TIC_ID
from tests.exofop.client.conftest import MakeClient, answer_of, asked_files, entries_of, manifest_of

SESSION = f"PHPSESSID={cookie_value()}"


def test_restricted_file_is_fetched_with_a_jar_and_public_ones_without_it_each_once(
    make_client: MakeClient, exofop: ExoFopDouble, tmp_path: Path
) -> None:
    exofop.login(cookie_value())
    exofop.add_note(TIC_ID, restricted_note(), restricted=True)
    number = exofop.add_file(TIC_ID, restricted_file_name(), restricted_bytes(), type="Image", restricted=True)
    jar = write_cookie_jar(tmp_path / "exofop.jar")
    result = make_client(cookie_jar_path=jar).fetch(target=TIC_ID)
    entry = entries_of(result)[number]
    assert (entry["state"], len(result.files_downloaded), result.errors) == ("OK", 7, [])
    assert (result.cache_root / entry["path"]).read_bytes() == restricted_bytes()
    assert manifest_of(result)["auth"]["cookie_jar_used"] is True
    assert manifest_of(result)["auth"]["accepted"] is True
    assert answer_of(result, "download_obsnotes.php")["n_rows"] == 4
    requests = exofop.asked("get_file.php")
    with_login = [int(request.query["id"]) for request in requests if SESSION in request.headers.get("cookie", "")]
    assert with_login == [number]
    assert len(requests) == len(set(asked_files(exofop))) == 7
