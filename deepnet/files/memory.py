"""How much memory and disk this program may still take, and the refusal of what would take more.

Memory: what the machine has without swapping, what every control group above us leaves (v1 and v2), and `ulimit`.
`root` is the folder where /proc and /sys lie.
"""

import os
import resource
from pathlib import Path, PurePosixPath

from ..errors import OutputError
from .names import shown

SHARE = 0.9  # of what is allowed; the rest is for what nobody foretold
# Of a control group's memory: where its folders lie, what is allowed, what is taken, which of that would be given back.
_V1 = ("sys/fs/cgroup/memory", "limit_in_bytes", "usage_in_bytes", ("total_active_file", "total_inactive_file"))
_V2 = ("sys/fs/cgroup", "max", "current", ("active_file", "inactive_file"))


def free_memory(root="/"):
    """Bytes that this program may take beside those it has, by the narrowest of all bounds."""
    return max(0, min([_machine(root), *_groups(root), *_limits(root)]))


def resident(root="/"):
    """Bytes that this program has in memory, now and at most so far."""
    found = _numbers(root, "proc/self/status")
    return 1024 * found.get("VmRSS:", 0), 1024 * found.get("VmHWM:", 0)


def spare_memory(root="/"):
    """Bytes that this program may take beside those it has and keep to SHARE of what it is allowed in all."""
    free = free_memory(root)
    return max(0, free - int((1 - SHARE) * (free + resident(root)[0])))


def check_memory(need, what, remedy, root="/"):
    """OutputError where `need` bytes beside those that the program has are more than it may take."""
    if need > spare_memory(root):
        own = resident(root)[0]
        raise OutputError(
            f"{what} would take {own + need >> 20:,} MB of memory, more than {100 * SHARE:.0f} % of the "
            f"{own + free_memory(root) >> 20:,} MB that this program may have; {remedy}"
        )


def is_large(size):
    """Whether so many bytes would take too large a part of the memory: data are split, and then lie there twice."""
    return size > spare_memory() // 3


def free_disk(folder, root="/"):
    """Bytes that may be written to new files of this folder; None where its file system does not tell.

    One that lies in memory has no more than the memory has.
    """
    found = os.statvfs(folder)
    free = found.f_bavail * found.f_frsize if found.f_blocks else None
    if _in_memory(folder, root):
        return min(spare_memory(root), spare_memory(root) if free is None else free)
    return free


def check_disk(folder, size, what, remedy, copies=1, there=0):
    """OutputError where a folder has no room for so many files of `size` bytes, of which some bytes are `there`."""
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    if limit != resource.RLIM_INFINITY and size > limit:
        raise OutputError(
            f"{what} would be a file of {_mb(size)}, more than the size limit of {_mb(limit)}; raise it (`ulimit -f`)"
        )
    need, free = copies * size - there, free_disk(folder)
    if free is not None and need > free:
        raise OutputError(f"{what} would take up to {_mb(need)} of disk, and {shown(folder)} has {_mb(free)}; {remedy}")


def _in_memory(folder, root):
    """Whether the file system of a folder lies in memory."""
    device = os.stat(folder).st_dev
    known = f"{os.major(device)}:{os.minor(device)}"
    mounts = (line.split() for line in _text(root, "proc/self/mountinfo").splitlines())
    return any(words[2] == known and words[words.index("-") + 1] == "tmpfs" for words in mounts)


def _mb(size):
    """Bytes in words."""
    return f"{size / (1 << 20):,.3g} MB" if size < 10 << 20 else f"{size >> 20:,} MB"


def _machine(root):
    """What the kernel would give without swapping, else the pages free."""
    found = _numbers(root, "proc/meminfo").get("MemAvailable:")
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if found is None else 1024 * found


def _groups(root):
    """What each control group on the way up to the root leaves, files that it has cached not counted.

    Within a container the path may be the host's, and only the root be there: it is the container's then.
    """
    for line in _text(root, "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        folder, most, taken, given_back = _V1 if controllers else _V2
        inner = PurePosixPath(*(part for part in path.split("/") if part not in ("", "..")))
        for group in (inner, *inner.parents):
            place = f"{folder}/{group}/memory"
            limit, usage = _text(root, f"{place}.{most}").strip(), _text(root, f"{place}.{taken}").strip()
            if limit.isdecimal() and usage.isdecimal():
                known = _numbers(root, f"{place}.stat")
                yield int(limit) - int(usage) + sum(known.get(name, 0) for name in given_back)


def _limits(root):
    """What `ulimit -v` and `ulimit -d` leave."""
    known = _numbers(root, "proc/self/status")
    for kind, name in ((resource.RLIMIT_AS, "VmSize:"), (resource.RLIMIT_DATA, "VmData:")):
        limit = resource.getrlimit(kind)[0]
        if limit != resource.RLIM_INFINITY:
            yield limit - 1024 * known.get(name, 0)


def _text(root, path):
    """A file's text; none where it cannot be read."""
    try:
        return Path(root, path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _numbers(root, path):
    """The numbers of a file of lines that begin with a name and a number."""
    lines = (line.split() for line in _text(root, path).splitlines())
    return {words[0]: int(words[1]) for words in lines if len(words) > 1 and words[1].isdecimal()}
