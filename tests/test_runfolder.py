"""Who may write into a run folder, and how a file gets there whole."""

from __future__ import annotations

import pytest

from solarkataster.io.runfolder import (
    LostLockError,
    RunFolder,
    locked,
    publish,
    write_permit,
    written_whole,
)


def test_a_worker_writes_only_under_its_own_clients_lock(tmp_path):
    folder = RunFolder(tmp_path)
    with locked(folder) as token, write_permit(folder, token):
        pass
    with pytest.raises(LostLockError), write_permit(folder, token):
        pass
    with locked(folder) as new_token:
        assert new_token != token
        with pytest.raises(LostLockError), write_permit(folder, token):
            pass


def test_a_file_gets_its_name_only_when_it_is_whole(tmp_path):
    path = tmp_path / "layer.txt"
    path.write_text("old")

    def write_half():
        with written_whole(path) as temporary:
            temporary.write_text("half")
            raise KeyError("broken")

    with pytest.raises(KeyError):
        write_half()
    assert path.read_text() == "old"
    assert [found.name for found in tmp_path.iterdir()] == ["layer.txt"]


def test_finished_files_take_the_place_of_old_ones_and_strays_go(tmp_path):
    staging, target = tmp_path / "work" / "new", tmp_path
    (staging / "map").mkdir(parents=True)
    (staging / "roofs.parquet").write_text("new roofs")
    (staging / "map" / "index.html").write_text("new page")
    (target / "map").mkdir()
    (target / "map" / "index.html").write_text("old page")
    (target / "map" / "old.pmtiles").write_text("old tiles")
    (target / "notes.txt").write_text("the user's own")
    publish(staging, target)
    found = {p.relative_to(target).as_posix(): p.read_text() for p in target.rglob("*.*")}
    assert found == {
        "roofs.parquet": "new roofs",
        "map/index.html": "new page",
        "notes.txt": "the user's own",
    }


def test_leftovers_of_a_killed_client_are_swept(tmp_path):
    folder = RunFolder(tmp_path)
    (folder.work / "new").mkdir(parents=True)
    (folder.work / "new" / "half.tif").write_text("half")
    (folder.tiles / ".e1_n1.0a1b2c3d.tmp").mkdir(parents=True)
    with locked(folder):
        assert sorted(path.name for path in folder.work.iterdir()) == ["lock", "tiles", "writers"]
        assert not list(folder.tiles.iterdir())
