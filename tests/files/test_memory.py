import os
import resource

import pytest

from deepnet import files
from deepnet.errors import OutputError
from deepnet.files import memory

MB = 1 << 20
OWN = {"Size": 400, "HWM": 120, "RSS": 100, "Data": 50}


def lay(root, texts):
    """Files of these texts under a folder."""
    for path, text in texts.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return root


@pytest.fixture
def machine(tmp_path):
    """A machine of 1000 MB, of which this program has 100."""
    return lay(tmp_path, {
        "proc/meminfo": f"MemTotal: {2000 << 10} kB\nMemAvailable: {1000 << 10} kB\n",
        "proc/self/status": "".join(f"Vm{name}: {size << 10} kB\n" for name, size in OWN.items()),
        "proc/self/cgroup": "",
    })  # fmt: skip


def v1(limit, used, cached=0):
    return {
        "memory.limit_in_bytes": f"{limit}\n",
        "memory.usage_in_bytes": f"{used}\n",
        "memory.stat": f"cache 1\ntotal_inactive_file {cached // 2}\ntotal_active_file {cached - cached // 2}\n",
    }


def v2(limit, used, cached=0):
    return {
        "memory.max": f"{limit}\n",
        "memory.current": f"{used}\n",
        "memory.stat": f"anon 1\ninactive_file {cached}\nactive_file 0\n",
    }


def at(folder, found):
    return {f"sys/fs/cgroup/{folder}/{name}": text for name, text in found.items()}


HOST, GROUP = "4:memory,blkio:/jobs/one\n3:cpu:/jobs\n0::/\n", "proc/self/cgroup"


@pytest.mark.parametrize(("texts", "free"), [
    ({}, 1000 * MB),
    ({GROUP: HOST} | at("memory/jobs/one", v1(300 * MB, 120 * MB, 20 * MB)), 200 * MB),
    ({GROUP: HOST} | at("memory/jobs/one", v1(900 * MB, 0)) | at("memory/jobs", v1(150 * MB, 100 * MB)), 50 * MB),
    ({GROUP: HOST} | at("memory", v1(400 * MB, 100 * MB)), 300 * MB),  # a container with the host's path
    ({GROUP: HOST} | at("memory/jobs/one", v1(9223372036854771712, 5 * MB)), 1000 * MB),
    ({GROUP: "0::/user/a\n"} | at("user/a", v2(256 * MB, 130 * MB, 30 * MB)), 156 * MB),
    ({GROUP: "0::/user/a\n"} | at("user/a", v2("max", 130 * MB)) | at("user", v2(90 * MB, 80 * MB)), 10 * MB),
    ({GROUP: "0::/../../x\n"} | at("x", v2(256 * MB, 56 * MB)), 200 * MB),
    ({GROUP: "0::/a\n"} | at("a", v2(100 * MB, 130 * MB)), 0),
    ({GROUP: "0::/a\n"} | at("a", {"memory.max": "???", "memory.current": "7"}), 1000 * MB),
])  # fmt: skip
def test_the_narrowest_bound_counts(machine, texts, free):
    assert files.free_memory(lay(machine, texts)) == free


@pytest.mark.parametrize(("kind", "used"), [(resource.RLIMIT_AS, 400), (resource.RLIMIT_DATA, 50)])
def test_limits_of_the_shell_count(machine, kind, used, monkeypatch):
    real = resource.getrlimit
    monkeypatch.setattr(resource, "getrlimit", lambda k: (500 * MB, -1) if k == kind else real(k))
    assert files.free_memory(machine) == (500 - used) * MB


def test_a_machine_that_tells_nothing(tmp_path):
    assert files.free_memory(tmp_path) > MB
    assert files.resident(tmp_path) == (0, 0)


@pytest.mark.promise("memory refused")
def test_refused_when_over_nine_tenths(machine, promise):
    """Of 300 MB that the program may have it has 100: 170 more make 90 %."""
    lay(machine, {"proc/self/cgroup": "0::/a\n"} | at("a", v2(300 * MB, 100 * MB)))
    assert files.spare_memory(machine) == pytest.approx(170 * MB, abs=2)
    files.check_memory(169 * MB, "this", "that", machine)
    with pytest.raises(OutputError) as caught:
        files.check_memory(171 * MB, "training so", "give less", machine)
    assert str(caught.value) == (
        "training so would take 271 MB of memory, more than 90 % of the 300 MB that this program may have; give less"
    )
    promise("271 of 300 MB refused, 269 not; cgroup v1 and v2")


def test_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "free_disk", lambda folder: 30 * MB)
    files.check_disk(tmp_path, 10 * MB, "saving", "free some", 3)
    files.check_disk(tmp_path, 12 * MB, "saving", "free some", 3, 6 * MB)
    with pytest.raises(OutputError, match=r"saving would take up to 33 MB of disk, and .* has 30 MB; free some"):
        files.check_disk(tmp_path, 11 * MB, "saving", "free some", 3)
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (5 * MB, -1))
    with pytest.raises(
        OutputError, match=r"a file of 6 MB, more than the size limit of 5 MB; raise it \(`ulimit -f`\)"
    ):
        files.check_disk(tmp_path, 6 * MB, "saving", "free some")


def test_a_disk_that_lies_in_memory(machine, tmp_path):
    device = tmp_path.stat().st_dev
    line = f"30 29 {os.major(device)}:{os.minor(device)} / /tmp rw shared:1 - tmpfs name rw\n"
    lay(machine, {"proc/self/mountinfo": line, "proc/self/cgroup": "0::/a\n"} | at("a", v2(2 * MB, MB)))
    assert files.free_disk(tmp_path, machine) <= MB
