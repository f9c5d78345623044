"""The schemas that rendered manifests are held against: those of Kubernetes as PyPI's kubernetes-validate carries them,
Istio's from the CRDs of its own Go module, and for a ServiceMonitor the validator that npm has of the operator's types.
"""

import functools
import json
import pathlib
import subprocess

import kubernetes_validate
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOLS = ROOT / "build" / "tools"
# The oldest that the chart takes, and the newest that there are schemas of.
KUBERNETES = ("1.27.0", "1.37.0")
OF_KUBERNETES = pathlib.Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema"
OF_CRDS = TOOLS / "helm" / "crds"
WHOLE = TOOLS / "helm" / "kubernetes"  # those of OF_KUBERNETES that are used, each with all that it refers to


def strict(schema):
    """A CRD's schema that refuses unknown fields, as the API server does for `kubectl apply --validate=strict`."""
    if isinstance(schema, list):
        return [strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {key: strict(value) for key, value in schema.items()}
    # Istio lists the same fields again below oneOf, to say which exclude each other.
    if schema.get("type") == "object" and "properties" in schema:
        schema.setdefault("additionalProperties", False)
    return schema


@functools.cache
def definitions(kubernetes):
    text = (OF_KUBERNETES / f"v{kubernetes}-local-strict" / "_definitions.json").read_text()
    return json.loads(text)["$defs"]


@functools.cache
def write_whole(kubernetes, api_version, kind):
    """kubeconform does not find what another file defines, if that is named as by kubernetes-validate."""
    *group, version = api_version.split("/")
    name = "-".join([kind.lower(), *(each.split(".")[0] for each in group), version]) + ".json"
    file = OF_KUBERNETES / f"v{kubernetes}-local-strict" / name
    if not file.exists():
        return  # a CRD's, or nobody's: kubeconform says so
    schema = json.loads(file.read_text())
    del schema["$id"]
    text = json.dumps(schema | {"$defs": definitions(kubernetes)}).replace("/api/_definitions.json#", "#")
    whole = WHOLE / f"v{kubernetes}" / name
    whole.parent.mkdir(parents=True, exist_ok=True)
    whole.write_text(text)


def write_crds():
    module = pathlib.Path(json.loads((TOOLS / "helm" / "istio.json").read_text())["Dir"])
    for crd in yaml.safe_load_all((module / "kubernetes" / "customresourcedefinitions.gen.yaml").read_text()):
        if not crd:
            continue
        spec = crd["spec"]
        for version in spec["versions"]:
            schema = strict(version["schema"]["openAPIV3Schema"])
            schema["properties"] |= {"apiVersion": {"type": "string"}, "kind": {"type": "string"},
                                     "metadata": {"type": "object"}}
            file = OF_CRDS / spec["group"] / f"{spec['names']['kind'].lower()}_{version['name']}.json"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(schema))


def complaints(text, kubernetes):
    """What kubeconform has to say of these manifests ("" if nothing), and how many of them it took."""
    for each in filter(None, yaml.safe_load_all(text)):
        write_whole(kubernetes, each["apiVersion"], each["kind"])
    done = subprocess.run(
        [TOOLS / "bin" / "kubeconform", "-strict", "-summary", "-output", "json", "-kubernetes-version", kubernetes,
         "-schema-location", f"{WHOLE}/{{{{.NormalizedKubernetesVersion}}}}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json",
         "-schema-location", f"{OF_CRDS}/{{{{.Group}}}}/{{{{.ResourceKind}}}}_{{{{.ResourceAPIVersion}}}}.json",
         "-skip", "ServiceMonitor"],
        input=text, capture_output=True, text=True, timeout=120)
    report = json.loads(done.stdout)
    found = [f"{each['kind']}: {each['msg']}" for each in report.get("resources", []) if each["status"] != "statusSkipped"]
    return "\n".join(found) or ("" if done.returncode == 0 else done.stderr), report["summary"]


def monitor_complaints(monitor):
    script = """
      import {ServiceMonitor} from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1";
      let text = ""; for await (const part of process.stdin) text += part;
      try { new ServiceMonitor(JSON.parse(text)).validate() } catch (wrong) { console.log(String(wrong.message)) }"""
    done = subprocess.run(["node", "--input-type=module", "-e", script], input=json.dumps(monitor), capture_output=True,
                          text=True, cwd=TOOLS / "helm", timeout=120, check=True)
    return done.stdout
