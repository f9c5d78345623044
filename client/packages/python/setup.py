"""Generates the stubs, and their types, into the wheel."""

import pathlib
import shutil

from setuptools import setup
from setuptools.command.build_py import build_py


class Generate(build_py):
    def run(self):
        import grpc_tools
        from grpc_tools import protoc

        super().run()
        into = pathlib.Path(self.build_lib)
        protos = sorted(map(str, pathlib.Path("protos").rglob("*.proto")))
        outs = [f"--{kind}_out={into}" for kind in ("python", "grpc_python", "mypy", "mypy_grpc")]
        google = pathlib.Path(grpc_tools.__file__).with_name("_proto")
        if protoc.main(["protoc", "-I", "protos", f"-I{google}", *outs, *protos]) != 0:
            raise SystemExit("protoc failed")
        (into / "pictory" / "py.typed").touch()
        shutil.copy("service_config.json", into / "pictory_jobs")


setup(packages=["pictory_jobs"], package_data={"pictory_jobs": ["py.typed"]}, cmdclass={"build_py": Generate})
