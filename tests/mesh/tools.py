"""Sets up what the rows need, in build/mesh: Envoy and gRPC in an environment of their own, and stubs."""

import hashlib
import os
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
WORK = ROOT / "build" / "mesh"
PYTHON = WORK / "venv" / "bin" / "python"
STUBS = WORK / "stubs"
EXAMPLES = ROOT / "build" / "interop" / "client" / "examples"
ENVOY = "import envoy, pathlib; print(pathlib.Path(envoy.__path__[0]) / '_bin' / 'envoy')"
ATTEMPTS, ATTEMPT_SECONDS = 3, 300  # the registry is asked


def protos():
    return sorted(str(path.relative_to(ROOT / "protos")) for path in ROOT.glob("protos/pictory/jobs/v1/*.proto"))


def stamp():
    files = [HERE / "requirements.txt", *(ROOT / "protos" / name for name in protos())]
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


def commands():
    yield [sys.executable, "-m", "venv", WORK / "venv"]
    yield [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", HERE / "requirements.txt"]
    yield [PYTHON, "-m", "grpc_tools.protoc", "-I", ROOT / "protos", f"--python_out={STUBS}",
           f"--grpc_python_out={STUBS}", *protos()]


def attempt(command, log):
    """Whether it ended well, at last."""
    for number in range(1, ATTEMPTS + 1):
        try:
            if subprocess.run(command, stdout=log, stderr=log, timeout=ATTEMPT_SECONDS).returncode == 0:
                return True
        except subprocess.TimeoutExpired:
            log.write(f"not done within {ATTEMPT_SECONDS} s\n")
        time.sleep(number)
    return False


def set_up(clients=True):
    """Nothing, if it is there already. `clients`: the example clients, too."""
    done = WORK / "set-up"
    if not done.exists() or done.read_text() != stamp():
        STUBS.mkdir(parents=True, exist_ok=True)
        with open(WORK / "log", "w") as log:
            for command in commands():
                if not attempt(command, log):
                    sys.exit(f"run: {' '.join(map(str, command))} failed {ATTEMPTS} times (see {log.name})")
        done.write_text(stamp())
    if clients and subprocess.run([ROOT / "tests" / "interop" / "run", "--set-up", "python", "node", "cpp"]).returncode != 0:
        sys.exit("run: the example clients could not be set up")


def go_there(script):
    """Goes on with the same script in the environment that was set up."""
    if pathlib.Path(sys.prefix) != WORK / "venv":
        os.execv(PYTHON, [PYTHON, script, *sys.argv[1:]])


def envoy():
    """The program."""
    return subprocess.check_output([PYTHON, "-c", ENVOY], text=True).strip()
