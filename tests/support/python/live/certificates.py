"""Certificates made by the openssl command, as operators make them."""

import datetime
import pathlib
import secrets
import subprocess

# What `openssl ca` wants to know, which alone makes certificates that have ended already.
CA_SETTINGS = """
[ca]
default_ca = here
[here]
database = {folder}/index.txt
serial = {folder}/serial
new_certs_dir = {folder}
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
"""


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
                "-subj", f"/CN={name}", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                "-keyout", self.key, "-out", self.cert)
        self.settings = self.folder / "ca.cnf"
        self.settings.write_text(CA_SETTINGS.format(folder=self.folder))
        (self.folder / "index.txt").touch()
        (self.folder / "serial").write_text(secrets.token_hex(8))

    def issue(self, name, names="DNS:localhost,IP:127.0.0.1", days=30, begun=1):
        """`days` may be negative: it has ended. It began `begun` days ago, or before its end."""
        made = Issued(self.folder / name)
        made.cert.parent.mkdir()
        request, extensions = made.cert.with_suffix(".csr"), made.cert.with_suffix(".ext")
        extensions.write_text(f"subjectAltName={names}\nauthorityKeyIdentifier=keyid\n")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                "-keyout", made.key, "-out", request)
        now = datetime.datetime.now(datetime.timezone.utc)
        begin, end = (f"{now + datetime.timedelta(days=day):%Y%m%d%H%M%SZ}" for day in (min(days, 0) - begun, days))
        openssl("ca", "-batch", "-notext", "-config", self.settings, "-cert", self.cert, "-keyfile", self.key,
                "-startdate", begin, "-enddate", end, "-in", request, "-extfile", extensions, "-out", made.cert)
        made.key.chmod(0o600)
        return made
