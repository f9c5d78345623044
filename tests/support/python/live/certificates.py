"""Certificates made by the openssl command, as operators make them."""

import pathlib
import subprocess


def openssl(*args, input=None):
    """What it prints, as bytes."""
    done = subprocess.run(["openssl", *map(str, args)], input=input, capture_output=True, timeout=60)
    if done.returncode:
        raise AssertionError(f"openssl {args}: {done.stderr.decode(errors='replace')}")
    return done.stdout


class Issued:
    def __init__(self, folder):
        self.cert, self.key = folder / "tls.crt", folder / "tls.key"


class Authority:
    """Keeps all that it makes in `folder`, which it creates."""

    def __init__(self, folder, name="Test CA"):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir()
        self.cert, self.key = self.folder / "ca.crt", self.folder / "ca.key"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", 30,
                "-subj", f"/CN={name}", "-keyout", self.key, "-out", self.cert)

    def issue(self, name, names="DNS:localhost,IP:127.0.0.1", days=30):
        """`days` may be negative: it has ended."""
        made = Issued(self.folder / name)
        made.cert.parent.mkdir()
        request, extensions = made.cert.with_suffix(".csr"), made.cert.with_suffix(".ext")
        extensions.write_text(f"subjectAltName={names}\n")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                "-keyout", made.key, "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", self.cert, "-CAkey", self.key, "-CAcreateserial",
                "-days", days, "-extfile", extensions, "-out", made.cert)
        made.key.chmod(0o600)
        return made
