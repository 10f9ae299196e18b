"""Finding the products of a target in folder trees."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from btv_report.answer_states import AnswerState
from btv_report.archive import header_index
from btv_report.archive.mirror import Claim, MirrorAnswer, find_products
from btv_report.errors import UsageError
from btv_report.targets import SkyPosition


def names(answer: MirrorAnswer) -> dict[str, Claim]:
    return {file.path.name: file.claim for file in answer.files}


def test_products_are_found_by_header_in_any_layout_and_under_any_name(tmp_path: Path, write_product: Any) -> None:
    write_product(tmp_path / "deep" / "er" / "x.FITS", tic_id=42)
    write_product(tmp_path / "y.fit", tic_id=42, kind="tp")
    write_product(tmp_path / "z.fits.gz", tic_id=42)
    write_product(tmp_path / "tess-s0001-0000000000000042-s_lc.fits", tic_id=43)
    (tmp_path / "notes.txt").write_text("no FITS")
    answer = find_products([tmp_path], 42)
    assert names(answer) == {"x.FITS": Claim.HEADER, "y.fit": Claim.HEADER, "z.fits.gz": Claim.HEADER}
    assert (answer.n_fits, answer.n_other_targets, answer.n_other) == (4, 1, 0)
    assert answer.state is AnswerState.OK


def test_order_is_the_same_however_the_folder_lists_its_files(tmp_path: Path, write_product: Any) -> None:
    for name in ("c.fits", "a.fits", "b/d.fits", "B/e.fits"):
        write_product(tmp_path / name)
    found = [str(file.path.relative_to(tmp_path)) for file in find_products([tmp_path], 42).files]
    assert found == ["a.fits", "c.fits", "B/e.fits", "b/d.fits"]


def test_nothing_found_says_what_is_there_instead(tmp_path: Path, write_product: Any) -> None:
    for number in range(1, 8):
        write_product(tmp_path / f"{number}.fits", tic_id=number)
    answer = find_products([tmp_path], 42)
    assert answer.state is AnswerState.EMPTY
    assert answer.n_other_targets == 7
    assert answer.examples == tuple((f"{number}.fits", f"TIC {number}") for number in range(1, 6))
    assert answer.sentence() == (
        f"None of the 7 FITS files in {tmp_path.name} is of TIC 42 (1.fits: TIC 1; 2.fits: TIC 2; 3.fits: TIC 3; "
        "4.fits: TIC 4; 5.fits: TIC 5; ...)."
    )


def test_empty_mirror_says_so(tmp_path: Path) -> None:
    assert find_products([tmp_path], 42).sentence() == f"There is no FITS file in {tmp_path.name}."


def test_mirror_that_does_not_exist_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist") as caught:
        find_products([tmp_path / "absent"], 42)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("name", "claim"),
    [
        ("tess2018206045859-s0001-0000000000000042-0120-s_lc.fits", Claim.NAME),
        ("TIC 42.fits", Claim.NAME),
        ("tess2018206045859-s0001-0000000000000043-0120-s_lc.fits", None),
        ("tic_43.fits", None),
        ("anything.fits", Claim.POSSIBLE),
        ("gaiaid-5707485527450614656-s0007.fits", Claim.POSSIBLE),
    ],
)
def test_f090_unreadable_header_belongs_to_the_target_unless_its_name_says_another(
    tmp_path: Path, name: str, claim: Claim | None
) -> None:
    (tmp_path / name).write_bytes(b"SIMPLE  =" + b" " * 600)
    answer = find_products([tmp_path], 42)
    assert names(answer).get(name) == claim
    assert answer.n_other == (1 if claim is None else 0)


def test_f090_truncated_file_whose_primary_header_names_the_target_is_its_product(
    tmp_path: Path, write_product: Any
) -> None:
    path = write_product(tmp_path / "a.fits")
    path.write_bytes(path.read_bytes()[:3500])
    assert names(find_products([tmp_path], 42)) == {"a.fits": Claim.HEADER}
    assert find_products([tmp_path], 43).n_other_targets == 1


def test_cutout_without_number_is_found_by_position(tmp_path: Path, write_product: Any) -> None:
    write_product(tmp_path / "lc.fits", RA_OBJ=120.0, DEC_OBJ=-20.0)
    write_product(tmp_path / "near.fits", tic_id=None, kind="cutout", RA_OBJ=120.0, DEC_OBJ=-20.0 + 9.5 / 3600)
    write_product(tmp_path / "far.fits", tic_id=None, kind="cutout", RA_OBJ=120.0, DEC_OBJ=-20.0 + 10.5 / 3600)
    answer = find_products([tmp_path], 42)
    assert names(answer) == {"lc.fits": Claim.HEADER, "near.fits": Claim.POSITION}
    assert "9.5 arcsec" in answer.files[1].note
    assert answer.examples == (("far.fits", "a cut-out without TIC number, 10.5 arcsec from TIC 42"),)


def test_cutout_is_found_where_a_fast_star_has_moved_to(tmp_path: Path, write_product: Any) -> None:
    write_product(tmp_path / "lc.fits", PMRA=0.0, PMDEC=3000.0)
    write_product(tmp_path / "cut.fits", tic_id=None, kind="cutout", DEC_OBJ=-20.0 + 48.0 / 3600)
    assert names(find_products([tmp_path], 42))["cut.fits"] is Claim.POSITION


def test_cutout_alone_is_found_only_when_the_position_is_given(tmp_path: Path, write_product: Any) -> None:
    write_product(tmp_path / "cut.fits", tic_id=None, kind="cutout")
    answer = find_products([tmp_path], 42)
    assert answer.state is AnswerState.EMPTY
    assert "the position of TIC 42 is not known" in answer.sentence()
    assert names(find_products([tmp_path], 42, position=SkyPosition(120.0, -20.0))) == {"cut.fits": Claim.POSITION}


def test_kepler_file_of_the_asked_number_or_alone_in_the_mirror_is_handed_on(
    tmp_path: Path, write_product: Any
) -> None:
    write_product(tmp_path / "kepler.fits", tic_id=None, TELESCOP="Kepler", KEPLERID=77)
    assert names(find_products([tmp_path], 42)) == {"kepler.fits": Claim.OTHER_MISSION}
    write_product(tmp_path / "tess.fits", tic_id=43)
    assert names(find_products([tmp_path], 77)) == {"kepler.fits": Claim.OTHER_MISSION}
    answer = find_products([tmp_path], 42)
    assert names(answer) == {}
    assert ("kepler.fits", "a Kepler file (KIC 77)") in answer.examples


def test_links_in_a_circle_and_overlapping_trees_count_each_file_once(tmp_path: Path, write_product: Any) -> None:
    path = write_product(tmp_path / "a" / "x.fits")
    (tmp_path / "a" / "loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "a" / "same.fits").symlink_to(path)
    (tmp_path / "a" / "broken.fits").symlink_to(tmp_path / "absent")
    answer = find_products([tmp_path, tmp_path / "a", tmp_path], 42)
    assert len(answer.files) == 1
    assert answer.unreadable == ("broken.fits cannot be read: No such file or directory.",)


def test_f143_file_that_cannot_be_opened_is_said_and_the_answer_is_not_empty(
    tmp_path: Path, write_product: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_product(tmp_path / "locked.fits")

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(header_index, "read_entry", refuse)
    answer = find_products([tmp_path], 42)
    assert answer.state is AnswerState.UNREACHABLE
    assert answer.sentence() == (
        f"No FITS file in {tmp_path.name} could be read. locked.fits cannot be read: Permission denied."
    )


def test_exofop_folder_of_the_target_is_found(tmp_path: Path) -> None:
    for tic_id in (42, 43):
        folder = tmp_path / "exofop" / f"tic_{tic_id}"
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_text("{}")
    (tmp_path / "more" / "exofop" / "tic_42").mkdir(parents=True)
    assert find_products([tmp_path], 42).exofop_folders == (tmp_path / "exofop" / "tic_42",)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("tic_42_neighbours.csv", True),
        ("deep/er/TIC-42-neighbors.ECSV", True),
        ("neighbours/tic_42.vot", True),
        ("Neighbors/tic42.xml", True),
        ("tic_42.csv", False),
        ("tic_43_neighbours.csv", False),
        ("neighbours/tic_421.csv", False),
        ("tic_42_neighbours.txt", False),
    ],
)
def test_table_of_neighbours_is_found_by_its_name(tmp_path: Path, name: str, found: bool) -> None:
    table = tmp_path / name
    table.parent.mkdir(parents=True, exist_ok=True)
    table.write_text("id,ra,dec\n")
    assert find_products([tmp_path], 42).neighbour_tables == ((table,) if found else ())


def test_second_search_reads_no_header(tmp_path: Path, write_product: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    mirror, cache = tmp_path / "mirror", tmp_path / "cache"
    write_product(mirror / "a.fits")
    (mirror / "broken.fits").write_bytes(b"no FITS")
    first = find_products([mirror], 42, cache_folder=cache)

    def fail(*_: object) -> None:
        raise AssertionError("a header was read again")

    monkeypatch.setattr(header_index, "read_entry", fail)
    assert find_products([mirror], 42, cache_folder=cache) == first


def test_changed_file_is_read_again_and_a_removed_one_forgotten(tmp_path: Path, write_product: Any) -> None:
    mirror, cache = tmp_path / "mirror", tmp_path / "cache"
    path = write_product(mirror / "a.fits", tic_id=43)
    write_product(mirror / "b.fits", tic_id=43)
    assert not find_products([mirror], 42, cache_folder=cache).files
    write_product(path, tic_id=42)
    os.utime(path, ns=(1, 1))
    (mirror / "b.fits").unlink()
    assert names(find_products([mirror, mirror], 42, cache_folder=cache)) == {"a.fits": Claim.HEADER}
    index = json.loads((cache / "mirror-index.json").read_text())
    assert [Path(key).name for key in index["files"]] == ["a.fits"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"version":1}',
        '{"version":99,"files":{}}',
        '{"version":1,"files":{"PATH":{"size":"x","mtime_ns":0}}}',
    ],
)
def test_corrupt_index_is_made_again(tmp_path: Path, write_product: Any, text: str) -> None:
    mirror, cache = tmp_path / "mirror", tmp_path / "cache"
    path = write_product(mirror / "a.fits")
    cache.mkdir()
    (cache / "mirror-index.json").write_text(text.replace("PATH", str(path)))
    assert names(find_products([mirror], 42, cache_folder=cache)) == {"a.fits": Claim.HEADER}
    assert json.loads((cache / "mirror-index.json").read_text())["version"] == header_index.INDEX_VERSION


def test_f144_cache_that_cannot_be_written_does_not_matter(tmp_path: Path, write_product: Any) -> None:
    write_product(tmp_path / "mirror" / "a.fits")
    (tmp_path / "cache").write_text("a file where the folder should be")
    answer = find_products([tmp_path / "mirror"], 42, cache_folder=tmp_path / "cache")
    assert names(answer) == {"a.fits": Claim.HEADER}


@pytest.mark.data
def test_real_mirror_holds_five_products_of_one_target(shared_data: Path) -> None:
    answer = find_products([shared_data / "mirror"], 188646744)
    assert len(answer.files) == answer.n_fits == 5
    assert {file.claim for file in answer.files} == {Claim.HEADER}
    assert answer.position is not None
    assert (answer.position.ra_deg, answer.position.dec_deg) == (308.5672083, 43.3606889)


@pytest.mark.data
def test_real_tree_finds_pi_mensae_by_header_and_by_position(shared_data: Path) -> None:
    answer = find_products([shared_data / "tpf", shared_data / "lc"], 261136679)
    claims = sorted(file.claim.value for file in answer.files)
    assert claims == ["header"] * 4 + ["position"]
