"""Keys that say nothing of a patient."""

import hashlib
import hmac
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cinelex.core.errors import UserError
from cinelex.data.dicom.pseudonyms import Pseudonyms, open_pseudonyms


def test_a_pseudonym_is_the_hmac_under_the_key() -> None:
    key = bytes(range(32))
    digest = hmac.new(key, b"patient\x00CANARY-4711", hashlib.sha256).hexdigest()
    assert Pseudonyms(key).patient("CANARY-4711 ") == digest[:32]


def test_kinds_and_keys_have_pseudonyms_of_their_own() -> None:
    one, other = Pseudonyms(b"1" * 32), Pseudonyms(b"2" * 32)
    made = {one.patient("7"), one.study("7"), one.site("7"), one.secret("7"), other.patient("7")}
    assert len(made) == 5


def test_all_dates_of_a_patient_move_alike_and_into_the_past() -> None:
    pseudonyms = Pseudonyms(b"1" * 32)
    shifts = [pseudonyms.days(str(patient)) for patient in range(2000)]
    assert shifts[7] == pseudonyms.days("7")
    assert (min(shifts), max(shifts)) == (-365, -1)


def test_a_data_set_keeps_its_key_to_itself(tmp_path: Path) -> None:
    first = open_pseudonyms(tmp_path)
    assert open_pseudonyms(tmp_path).key == first.key
    private = tmp_path / "private"
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert [stat.S_IMODE(path.stat().st_mode) for path in private.iterdir()] == [0o600]
    outside = [path for path in tmp_path.iterdir() if path.is_file()]
    assert all(first.key.hex() not in path.read_text() for path in outside)
    assert first.key.hex() not in repr(first)


def test_a_lost_key_is_not_made_anew(tmp_path: Path) -> None:
    open_pseudonyms(tmp_path)
    (tmp_path / "private" / "key").unlink()
    with pytest.raises(UserError, match="is lost.*back from your backup"):
        open_pseudonyms(tmp_path)
    assert not (tmp_path / "private" / "key").exists()


def test_another_key_is_refused(tmp_path: Path) -> None:
    open_pseudonyms(tmp_path)
    (tmp_path / "private" / "key").write_text("00" * 32)
    with pytest.raises(UserError, match="not the key"):
        open_pseudonyms(tmp_path)


def test_a_damaged_key_is_named(tmp_path: Path) -> None:
    open_pseudonyms(tmp_path)
    (tmp_path / "private" / "key").write_text("00" * 31)
    with pytest.raises(UserError, match="holds no key"):
        open_pseudonyms(tmp_path)


def test_who_comes_at_once_gets_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = {one.key for one in pool.map(open_pseudonyms, [tmp_path] * 8)}
    assert len(keys) == 1
    assert sorted(path.name for path in (tmp_path / "private").iterdir()) == ["key"]
