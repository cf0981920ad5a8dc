"""The run folder: who may write into it, what is done already, and how a file gets there whole."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import socket
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from solarkataster.errors import InputError, KatasterError

#: A worker that is asked to stop may hold its write permit for at most about this long. [s]
_PATIENCE_S = 3.0


class LostLockError(KatasterError):
    """The client that gave out this work no longer holds the run folder: write nothing."""


@dataclass(frozen=True)
class RunFolder:
    """
    Paths of one run. All that is not a result lies in ``work/``.

    Parameters
    ----------
    path : Path
        The folder given with ``--out``.
    """

    path: Path

    @property
    def work(self) -> Path:
        return self.path / "work"

    @property
    def lock_file(self) -> Path:
        return self.work / "lock"

    @property
    def writers_file(self) -> Path:
        return self.work / "writers"

    @property
    def staging(self) -> Path:
        """Where the final layers are written before they replace those of an earlier run."""
        return self.work / "new"

    @property
    def tiles(self) -> Path:
        return self.work / "tiles"

    @property
    def finished_file(self) -> Path:
        """Says which final files were written, and from what."""
        return self.work / "finished.json"

    def tile(self, name: str) -> Path:
        return self.tiles / name

    def yields(self, name: str) -> Path:
        """Yields and balances of a tile."""
        return self.work / "yields" / name

    def forget_other_tiles(self, names: set[str]) -> None:
        """Remove results of tiles that no longer belong to the run."""
        for folder in (self.tiles, self.work / "yields"):
            for path in folder.iterdir() if folder.is_dir() else ():
                if path.name not in names:
                    shutil.rmtree(path, ignore_errors=True)

    def check_usable(self) -> None:
        """
        Raise if the folder holds something else, before anything is computed or written.

        Raises
        ------
        InputError
            If the path is a file, or a folder with foreign content.
        """
        if not self.path.exists():
            return
        if not self.path.is_dir():
            raise InputError(
                "is a file", where=str(self.path), expected="a folder for the results (--out)"
            )
        is_run = self.work.is_dir() or (self.path / "run.json").is_file()
        if not is_run and any(self.path.iterdir()):
            raise InputError(
                "holds files that are not from a run",
                where=str(self.path),
                expected="a new or empty folder, or the folder of an earlier run",
                remedy="choose another --out",
            )


@contextlib.contextmanager
def locked(folder: RunFolder) -> Iterator[str]:
    """
    Hold the run folder as its only client; yields the token that workers show when they write.

    The lock is the operating system's (``flock``): it ends with the process, however that ends.

    Raises
    ------
    InputError
        If another client holds it; the message says who.
    """
    try:
        folder.work.mkdir(parents=True, exist_ok=True)
        stream = open(folder.lock_file, "a+")  # noqa: SIM115 - closed below, with the lock
    except OSError as error:
        raise InputError(
            f"cannot be written ({error.strerror})", where=str(folder.path), remedy="choose --out"
        ) from error
    with stream:
        _take(stream, folder)
        token = uuid.uuid4().hex
        holder = {
            "token": token,
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        stream.seek(0)
        stream.truncate()
        stream.write(json.dumps(holder))
        stream.flush()
        # Writers of a client that died a moment ago finish their file or see the new token.
        with open(folder.writers_file, "a") as writers:
            fcntl.flock(writers, fcntl.LOCK_EX)
        _sweep(folder.work)
        yield token


def _take(stream: IO[str], folder: RunFolder) -> None:
    """Take the client's lock; workers probe it for an instant, hence the second try."""
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise InputError(
                    f"another run is writing here: {_holder_text(folder)}",
                    where=str(folder.path),
                    remedy="wait until it ends, stop it, or choose another --out",
                ) from None
            time.sleep(0.1)
        except OSError as error:
            raise InputError(
                f"file system cannot lock files ({error.strerror})",
                where=str(folder.path),
                remedy="choose an --out on a local disk or a file server with locks",
            ) from error


def _holder_text(folder: RunFolder) -> str:
    try:
        holder = json.loads(folder.lock_file.read_text())
        return f"process {holder['pid']} on {holder['host']}, since {holder['since']}"
    except (OSError, ValueError, KeyError):
        return "a process that just started"


@contextlib.contextmanager
def write_permit(folder: RunFolder, token: str) -> Iterator[None]:
    """
    Write under the client's lock: no new client can start while the block runs.

    Raises
    ------
    LostLockError
        If the client that gave out ``token`` has died or another one has taken over.
    """
    try:
        writers = open(folder.writers_file, "a")  # noqa: SIM115 - closed below, with the lock
    except OSError as error:
        raise LostLockError(f"{folder.path}: run folder is gone ({error.strerror})") from error
    with writers:
        fcntl.flock(writers, fcntl.LOCK_SH)
        if not _is_held(folder, token):
            raise LostLockError(
                f"{folder.path}: the client of this work has ended; nothing written"
            )
        yield


def _is_held(folder: RunFolder, token: str) -> bool:
    """Whether some client holds the lock now and its token is this one."""
    try:
        with open(folder.lock_file) as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return token in stream.read()
    except OSError:
        pass
    return False


@contextlib.contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside ``path``; it gets its name only if the block succeeds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{uuid.uuid4().hex[:8]}.tmp{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: Path, content: Any) -> None:
    """Write JSON whole, with a fixed layout."""
    text = json.dumps(content, indent=2, ensure_ascii=False, default=str)
    with written_whole(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def read_json(path: Path) -> dict[str, Any] | None:
    """The content, or None if the file is missing or unreadable."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def publish(staging: Path, target: Path) -> None:
    """
    Move finished files from a staging folder to their place, file by file.

    Each file of an earlier run stays until the new one takes its name; files in subfolders that
    the new run no longer has are removed at the end.
    """
    fresh = sorted(path.relative_to(staging) for path in staging.rglob("*") if path.is_file())
    for name in fresh:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        os.replace(staging / name, target / name)
    for folder in {name.parts[0] for name in fresh if len(name.parts) > 1}:
        for old in sorted((target / folder).rglob("*"), reverse=True):
            if old.is_dir():
                with contextlib.suppress(OSError):
                    old.rmdir()
            elif old.relative_to(target) not in fresh:
                old.unlink()
    shutil.rmtree(staging, ignore_errors=True)


def digest(content: Any) -> str:
    """SHA-256 of anything JSON can hold (other objects by their text), keys sorted."""
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _sweep(work: Path) -> None:
    """Remove half-written files of a killed run."""
    for path in sorted(work.rglob(".*.tmp*"), reverse=True):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    shutil.rmtree(work / "new", ignore_errors=True)
