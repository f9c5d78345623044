"""The Helm chart, by the real helm: that it is well made, what it refuses, and what it says of the facts that
server/docs/operations.md and mesh.md have."""

import functools
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import schemas
import yaml

ROOT = schemas.ROOT
sys.path.insert(0, str(ROOT / "tests" / "support" / "python"))

from live.gateway import gateway  # noqa: E402
from live.programs import BIN  # noqa: E402

CHART = ROOT / "server" / "deploy" / "helm"
VALUES = sorted((ROOT / "tests" / "helm" / "values").glob("*.yaml"))
HELM = schemas.TOOLS / "bin" / "helm"
NEWEST = schemas.KUBERNETES[-1]
DRAIN_AND_SUBMIT_SECONDS = 40  # of server/docs/operations.md, "Ending"


def helm(*arguments):
    return subprocess.run([HELM, *map(str, arguments)], capture_output=True, text=True, timeout=120)


def template(*arguments, kubernetes=NEWEST):
    return helm("template", "pictory-gateway", CHART, "--namespace", "video", "--kube-version", kubernetes, *arguments)


@functools.cache
def rendered(name):
    done = template("--values", ROOT / "tests" / "helm" / "values" / f"{name}.yaml")
    if done.returncode:
        raise AssertionError(done.stderr)
    return done.stdout


def objects(name):
    return [each for each in yaml.safe_load_all(rendered(name)) if each]


def one(name, kind, ending=""):
    [found] = [each for each in objects(name) if each["kind"] == kind and each["metadata"]["name"].endswith(ending)]
    return found


def workload(name):
    [found] = [each for each in objects(name) if each["kind"] in ("StatefulSet", "Deployment")]
    return found


def pod(name):
    return workload(name)["spec"]["template"]


def container(name):
    [found] = pod(name)["spec"]["containers"]
    return found


def settings(name):
    text = one(name, "ConfigMap")["data"]["gateway.conf"]
    pairs = [line.split(" = ", 1) for line in text.splitlines() if line and not line.startswith("#")]
    return {key: value.strip('"') for key, value in pairs}


class WellMade(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        schemas.write_crds()

    def test_lint(self):
        for values in VALUES:
            with self.subTest(values.stem):
                done = helm("lint", "--strict", CHART, "--kube-version", NEWEST, "--values", values)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_every_manifest_has_a_schema_and_keeps_to_it(self):
        for values in VALUES:
            for kubernetes in schemas.KUBERNETES:
                with self.subTest(values.stem, kubernetes=kubernetes):
                    text = template("--values", values, kubernetes=kubernetes).stdout
                    found, summary = schemas.complaints(text, kubernetes)
                    self.assertEqual(found, "")
                    expected = [each for each in yaml.safe_load_all(text) if each]
                    monitors = [each for each in expected if each["kind"] == "ServiceMonitor"]
                    self.assertEqual(summary["valid"], len(expected) - len(monitors), summary)
                    for monitor in monitors:
                        self.assertEqual(schemas.monitor_complaints(monitor), "")

    def test_the_schemas_would_notice(self):
        text = rendered("istio")
        for right, wrong in (("readOnlyRootFilesystem: true", "readOnlyRootFileSystem: true"),
                             ("terminationGracePeriodSeconds: 60", "terminationGracePeriodSeconds: long"),
                             ("http2MaxRequests: 100000", "http2MaxRequest: 100000"),
                             ("retries: {attempts: 0}", "retries: {attempts: none}"),
                             ("resolution: DNS", "resolution: OFTEN"),
                             ("maxUnavailable: 1", "maxUnavailable: [1]")):
            with self.subTest(wrong):
                self.assertIn(right, text)
                self.assertNotEqual(schemas.complaints(text.replace(right, wrong), NEWEST)[0], "")
        monitor = one("istio", "ServiceMonitor")
        monitor["spec"]["endpoints"][0]["interval"] = "sometimes"
        self.assertNotEqual(schemas.monitor_complaints(monitor), "")


class Refused(unittest.TestCase):
    def test_what_would_lose_money_or_not_start(self):
        for arguments, words in (
                (("sandbox=true", "replicas=2"), "pay Pictory twice"),
                (("sandbox=true", "replicas=0"), "replicas"),
                (("sandbox=true", "replicas=2.5", "store.postgres.secretName=x"), "replicas"),
                (("sandbox=true", "replicas=2", "store.postgres.secretName=x", "archive.volume=claim"), "one gateway's"),
                (("sandbox=true", "store.postgres.secretName=x", "state.existingClaim=y"), "exclude each other"),
                (("sandbox=true", "store.postgres.url=postgres://x"), "store"),
                (("sandbox=true", "settings.store=postgres://x"), "see store"),
                ((), "no Pictory account"),
                (("sandbox=true", "apiKey.secretName=x"), "exclude each other"),
                (("apiKey.secretName=x", "istio.enabled=true", "tls.secretName=y"), "exclude each other"),
                (("sandbox=true", "settings.state-dir=/elsewhere"), "the chart sets it"),
                (("sandbox=true", "drain.timeoutSeconds=20s"), "drain"),
                (("sandbox=true", "repicas=1"), "repicas"),
                (("sandbox=true", "settings.max.watches=1"), "settings"),
                (("sandbox=true", "podDisruptionBudget.maxUnavailable=2"), "maxUnavailable"),
                (("sandbox=true", "settings.webhook-listen=0.0.0.0:1"), "the chart sets it"),
                (("sandbox=true", "settings.http-listen=0.0.0.0:1"), "the chart sets it"),
                (("sandbox=true", "webhook.url=http://x"), "webhook"),
                (("sandbox=true", 'settings.proxy=a"b'), "no escapes"),
                (("sandbox=true", "settings.proxy=a\\\\b"), "no escapes"),
                (("sandbox=true", "serviceMonitor.enabled=true"), "networkPolicy.metrics"),
                (("sandbox=true", r"podLabels.app\.kubernetes\.io/name=x"), "the chart sets it"),
                (("sandbox=true", "settings.archive-dir=/elsewhere"), "the chart sets it"),
                (("sandbox=true", "archive.volume=hostPath"), "archive"),
                (("sandbox=true", "archive.existingClaim=x"), "archive.volume=claim only"),
                (("apiKey.secretName=x", "networkPolicy.enabled=false"), "every pod of the cluster could spend"),
                (("apiKey.secretName=x", "networkPolicy.enabled=false", "tls.secretName=y"), "every pod of the cluster could spend"),
                (("sandbox=true", "podAnnotations.checksum/config=x"), "the chart sets it")):
            with self.subTest(arguments):
                done = template(*(f"--set={each}" for each in arguments))
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(words, done.stderr)


    def test_without_a_network_policy_something_else_says_who_may_call(self):
        for more in (("sandbox=true",), ("apiKey.secretName=x", "settings.tenants=/run/secrets/t/t.toml", "secrets={t}"),
                     ("settings.callers-pay=true",), ("apiKey.secretName=x", "networkPolicy.trustNetwork=true")):
            with self.subTest(more):
                done = template(*(f"--set={each}" for each in ("networkPolicy.enabled=false", *more)))
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertNotIn("kind: NetworkPolicy", done.stdout)

    def test_a_name_that_kubernetes_would_not_take(self):
        done = helm("template", "a" * 30, CHART, "--set=sandbox=true", "--kube-version", NEWEST)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("too long a name", done.stderr)


class Facts(unittest.TestCase):
    def test_names_that_look_like_numbers_and_have_dots(self):
        text = template("--set-string=apiKey.secretName=123456,state.storageClassName=true,secrets={my.secret}").stdout
        [stateful] = [each for each in yaml.safe_load_all(text) if each and each["kind"] == "StatefulSet"]
        volumes = {each["name"]: each for each in stateful["spec"]["template"]["spec"]["volumes"]}
        self.assertEqual(volumes["pictory"]["secret"]["secretName"], "123456")
        self.assertEqual(volumes["secret-0"]["secret"]["secretName"], "my.secret")
        self.assertEqual(stateful["spec"]["volumeClaimTemplates"][0]["spec"]["storageClassName"], "true")
        self.assertEqual(schemas.complaints(text, NEWEST)[0], "")

    def test_webhook_calls_have_a_way_in(self):
        self.assertEqual(settings("plain")["webhook-listen"], "0.0.0.0:8082")
        port = one("plain", "Service", "-webhook")["spec"]["ports"][0]["targetPort"]
        self.assertIn({"name": port, "containerPort": 8082}, container("plain")["ports"])
        rules = one("plain", "NetworkPolicy")["spec"]["ingress"]
        self.assertTrue(any(rule["ports"][0]["port"] == port for rule in rules), rules)
        self.assertNotIn("webhook", rendered("tls"))

    def test_http_has_a_way_in_if_it_is_on(self):
        self.assertNotIn("http-listen", rendered("plain"))
        text = template("--set=sandbox=true,http.enabled=true,http.port=80",
                        "--set=http.allowOrigins={https://app.example.com}").stdout
        self.assertEqual(schemas.complaints(text, NEWEST)[0], "")
        found = {each["kind"]: each for each in yaml.safe_load_all(text) if each and "-" not in each["metadata"]["name"][15:]}
        conf = found["ConfigMap"]["data"]["gateway.conf"]
        self.assertIn("http-listen = 0.0.0.0:8080\n", conf)
        self.assertIn("allowed-host = pictory-gateway.video.svc\n", conf)
        self.assertIn("http-allow-origin = https://app.example.com\n", conf)
        ports = found["Service"]["spec"]["ports"]
        self.assertIn({"name": "http", "port": 80, "targetPort": "http", "appProtocol": "http"}, ports)
        self.assertIn({"port": "http", "protocol": "TCP"}, found["NetworkPolicy"]["spec"]["ingress"][0]["ports"])
        [gateway_container] = found["StatefulSet"]["spec"]["template"]["spec"]["containers"]
        self.assertIn({"name": "http", "containerPort": 8080}, gateway_container["ports"])

    def test_one_gateway_whose_jobs_stay(self):
        for values in (each for each in VALUES if each.stem != "several"):
            with self.subTest(values.stem):
                spec = one(values.stem, "StatefulSet")["spec"]
                self.assertEqual(spec["replicas"], 1)
                self.assertEqual(spec["persistentVolumeClaimRetentionPolicy"],
                                 {"whenDeleted": "Retain", "whenScaled": "Retain"})
                self.assertEqual(spec["serviceName"], one(values.stem, "Service", "-headless")["metadata"]["name"])
                mounts = {each["mountPath"] for each in container(values.stem)["volumeMounts"]}
                state = pathlib.PurePath(settings(values.stem)["state-dir"])
                self.assertIn(str(state.parent), mounts, "a folder of the volume: that itself may be everybody's")
                self.assertEqual(spec["podManagementPolicy"], "Parallel")
        [claim] = one("plain", "StatefulSet")["spec"]["volumeClaimTemplates"]
        self.assertEqual(claim["spec"]["accessModes"], ["ReadWriteOnce"])
        self.assertNotIn("volumeClaimTemplates", one("tls", "StatefulSet")["spec"])

    def test_several_gateways_share_a_postgres_and_have_no_volume(self):
        spec = one("several", "Deployment")["spec"]
        self.assertEqual(spec["replicas"], 3)
        self.assertEqual(spec["strategy"], {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}})
        self.assertFalse({"StatefulSet", "PersistentVolumeClaim"} & {each["kind"] for each in objects("several")})
        inside = spec["template"]["spec"]
        volumes = {each["name"]: each for each in inside["volumes"]}
        self.assertEqual(volumes["state"], {"name": "state", "emptyDir": {"sizeLimit": "64Mi"}})
        self.assertEqual(volumes["store"]["secret"], {"secretName": "pictory-store", "defaultMode": 0o440})
        conf = settings("several")
        mounts = {each["name"]: each["mountPath"] for each in container("several")["volumeMounts"]}
        self.assertEqual(conf["store-file"], f"{mounts['store']}/uri")
        self.assertEqual(conf["drain-delay"], "5", "there are others to go to")
        self.assertEqual([each["topologyKey"] for each in inside["topologySpreadConstraints"]],
                         ["kubernetes.io/hostname", "topology.kubernetes.io/zone"])
        labels = spec["template"]["metadata"]["labels"]
        for each in inside["topologySpreadConstraints"]:
            self.assertLessEqual(each["labelSelector"]["matchLabels"].items(), labels.items())
        self.assertEqual(one("several", "PodDisruptionBudget")["spec"]["maxUnavailable"], 1)
        self.assertIn({"ports": [{"port": 6432, "protocol": "TCP"}]}, one("several", "NetworkPolicy")["spec"]["egress"])

    def test_one_gateway_with_a_postgres_and_an_archive_ends_before_the_next_starts(self):
        text = template("--set=sandbox=true,store.postgres.secretName=x,archive.volume=claim,drain.delaySeconds=0").stdout
        [found] = [each for each in yaml.safe_load_all(text) if each and each["kind"] == "Deployment"]
        self.assertEqual(found["spec"]["strategy"], {"type": "Recreate"})
        self.assertEqual(schemas.complaints(text, NEWEST)[0], "")
        self.assertEqual(settings("plain")["drain-delay"], "5", "what is set counts")
        self.assertEqual(settings("sandbox")["drain-delay"], "0", "there is nobody else to go to")

    def archive_of(self, text):
        """Where files go, by how many MiB, and the volume that is there; the folder is made in it, and not by root."""
        found = [each for each in yaml.safe_load_all(text) if each]
        [stateful] = [each for each in found if each["kind"] == "StatefulSet"]
        spec = stateful["spec"]["template"]["spec"]
        [conf] = [each["data"]["gateway.conf"] for each in found if each["kind"] == "ConfigMap"]
        values = dict(line.split(" = ", 1) for line in conf.splitlines() if " = " in line)
        folder = pathlib.PurePath(values["archive-dir"])
        [made] = spec["initContainers"]
        self.assertEqual(made["command"], ["/usr/bin/install", "-d", "-m", "700", str(folder)])
        self.assertEqual(made["image"], spec["containers"][0]["image"])
        self.assertEqual(made["securityContext"], spec["containers"][0]["securityContext"])
        for each in (made, *spec["containers"]):
            self.assertIn({"name": "archive", "mountPath": str(folder.parent)}, each["volumeMounts"])
        [volume] = [each for each in spec["volumes"] if each["name"] == "archive"]
        return int(values["archive-max-mib"]), volume, [e for e in found if e["kind"] == "PersistentVolumeClaim"]

    def test_the_archive_has_a_volume_that_stays(self):
        mib, volume, [claim] = self.archive_of(rendered("plain"))
        self.assertEqual(mib, 100 * 1024 * 9 // 10)
        self.assertEqual(volume["persistentVolumeClaim"]["claimName"], claim["metadata"]["name"])
        self.assertEqual(claim["metadata"]["annotations"], {"helm.sh/resource-policy": "keep"})
        self.assertEqual(claim["spec"]["accessModes"], ["ReadWriteOncePod"])
        self.assertEqual(claim["spec"]["resources"], {"requests": {"storage": "100Gi"}})
        mib, volume, claims = self.archive_of(rendered("sandbox"))
        self.assertEqual((mib, volume["emptyDir"], claims), (2 * 1024 * 9 // 10, {"sizeLimit": "2Gi"}, []))
        text = template("--set=sandbox=true,archive.volume=claim,archive.existingClaim=mine,settings.archive-max-mib=7").stdout
        mib, volume, claims = self.archive_of(text)
        self.assertEqual((mib, volume["persistentVolumeClaim"], claims), (7, {"claimName": "mine"}, []))
        self.assertNotIn("archive", rendered("tls"))

    def test_the_grace_is_the_bound_of_an_orderly_end(self):
        for values in VALUES:
            with self.subTest(values.stem):
                conf, spec = settings(values.stem), pod(values.stem)["spec"]
                self.assertEqual(spec["terminationGracePeriodSeconds"],
                                 int(conf["drain-delay"]) + int(conf["drain-timeout"]) + DRAIN_AND_SUBMIT_SECONDS)
                self.assertNotIn("lifecycle", container(values.stem), "no preStop: the drain delay is the pause")
        self.assertEqual(pod("istio")["spec"]["terminationGracePeriodSeconds"], 60)
        self.assertIn("**60 s** with the defaults", (ROOT / "server/docs/operations.md").read_text())

    def test_probes(self):
        for values in VALUES:
            with self.subTest(values.stem):
                found = container(values.stem)
                self.assertEqual(found["livenessProbe"]["httpGet"], {"path": "/livez", "port": "http-admin"})
                self.assertEqual(found["startupProbe"]["httpGet"], {"path": "/livez", "port": "http-admin"})
                readiness = found["readinessProbe"]
                if values.stem == "tls":
                    self.assertEqual(readiness["exec"]["command"][1:4], ["probe", "--address", "https://127.0.0.1:50051"])
                else:
                    self.assertEqual(readiness["grpc"], {"port": 50051})

    def test_the_pod_has_no_rights(self):
        for values in VALUES:
            with self.subTest(values.stem):
                spec, found = pod(values.stem)["spec"], container(values.stem)
                self.assertEqual(found["securityContext"], {"allowPrivilegeEscalation": False,
                                                            "readOnlyRootFilesystem": True,
                                                            "capabilities": {"drop": ["ALL"]}})
                self.assertTrue(spec["securityContext"]["runAsNonRoot"])
                self.assertEqual(spec["securityContext"]["seccompProfile"], {"type": "RuntimeDefault"})
                self.assertFalse(spec["automountServiceAccountToken"])
                self.assertFalse(spec["enableServiceLinks"])
                for volume in spec["volumes"]:
                    if "secret" in volume:
                        self.assertEqual(volume["secret"]["defaultMode"], 0o440, "as the gateway wants its secrets")

    def test_who_may_reach_it(self):
        spec = one("plain", "NetworkPolicy")["spec"]
        self.assertEqual([[port["port"] for port in rule["ports"]] for rule in spec["ingress"]],
                         [["grpc"], ["http-admin"], ["http-webhook"]])
        self.assertTrue(all(rule["from"] for rule in spec["ingress"]), "an empty list would be everybody")
        self.assertEqual(one("plain", "PodDisruptionBudget")["spec"]["maxUnavailable"], 0)
        closed = template("--set=sandbox=true", "--set-json=networkPolicy.callers=[]").stdout
        [policy] = [each for each in yaml.safe_load_all(closed) if each and each["kind"] == "NetworkPolicy"]
        self.assertEqual(policy["spec"]["ingress"], [])
        self.assertFalse({"NetworkPolicy", "PodDisruptionBudget"} & {each["kind"] for each in objects("sandbox")})

    def test_services_lead_to_the_pod(self):
        labels = pod("plain")["metadata"]["labels"]
        for ending in ("gateway", "-headless"):
            spec = one("plain", "Service", ending)["spec"]
            self.assertLessEqual(spec["selector"].items(), labels.items())
            self.assertEqual(spec["ports"][0]["name"], "grpc")
        headless = one("plain", "Service", "-headless")
        self.assertEqual(headless["spec"]["clusterIP"], "None")
        monitor = one("plain", "ServiceMonitor")["spec"]
        self.assertLessEqual(monitor["selector"]["matchLabels"].items(), headless["metadata"]["labels"].items())
        self.assertIn(monitor["endpoints"][0]["port"], [each["name"] for each in headless["spec"]["ports"]])

    def test_the_alerts_know_the_scrape_job_by_its_name(self):
        """The Prometheus operator calls it what this label of the Service says, else like the Service."""
        monitor, headless = one("plain", "ServiceMonitor"), one("plain", "Service", "-headless")
        job = headless["metadata"]["labels"][monitor["spec"]["jobLabel"]]
        rules = (ROOT / "server/deploy/monitoring/alerts.yml").read_text()
        self.assertEqual(set(re.findall(r'job="([^"]*)"', rules)), {job})


class Istio(unittest.TestCase):
    def test_submits_are_not_retried_and_watches_have_no_timeout(self):
        reads, others = one("istio", "VirtualService")["spec"]["http"]
        self.assertEqual((reads["timeout"], others["timeout"]), ("0s", "0s"))
        self.assertEqual(others["retries"], {"attempts": 0})
        [match] = reads["match"]
        proto = (ROOT / "protos/pictory/jobs/v1/pictory_jobs.proto").read_text()
        methods = re.findall(r"^  rpc (\w+)\(", proto, re.MULTILINE)
        repeated = [m for m in methods if re.fullmatch(match["uri"]["regex"], f"/pictory.jobs.v1.PictoryJobs/{m}")]
        self.assertEqual(set(repeated),
                         {"GetJob", "BatchGetJobs", "ListJobs", "WatchJob", "WatchJobs", "ReadJobResult", "ReadArchivedFile"})
        self.assertNotIn("match", others, "all the rest, whatever is added to the API")

    def test_nothing_ejects_the_gateway(self):
        policy = one("istio", "DestinationRule")["spec"]["trafficPolicy"]
        self.assertNotIn("outlierDetection", policy)
        self.assertEqual(policy["connectionPool"]["http"]["http2MaxRequests"], 100_000)

    def test_the_sidecar_is_there_before_the_gateway_and_goes_after_it(self):
        annotations = pod("istio")["metadata"]["annotations"]
        self.assertEqual(annotations["sidecar.istio.io/nativeSidecar"], "true")
        self.assertEqual(yaml.safe_load(annotations["proxy.istio.io/config"]), {"holdApplicationUntilProxyStarts": True})
        classic = pod("istio-classic")
        config = yaml.safe_load(classic["metadata"]["annotations"]["proxy.istio.io/config"])
        self.assertEqual(config["terminationDrainDuration"], f"{classic['spec']['terminationGracePeriodSeconds']}s")
        self.assertEqual(config["proxyMetadata"], {"EXIT_ON_ZERO_ACTIVE_CONNECTIONS": "true"})

    def test_the_file_without_helm_says_the_same(self):
        for of_file in yaml.safe_load_all((ROOT / "server/deploy/istio.yaml").read_text()):
            of_chart = one("istio-classic", of_file["kind"])
            self.assertEqual(of_chart["spec"], of_file["spec"], of_file["kind"])
            self.assertEqual(of_chart["metadata"]["name"], of_file["metadata"]["name"])


class TheGatewayItself(unittest.TestCase):
    def test_serves_with_what_is_rendered_for_the_sandbox(self):
        """At free ports, and folders that are here; flags win over the file."""
        with tempfile.TemporaryDirectory() as folder:
            conf = pathlib.Path(folder) / "gateway.conf"
            conf.write_text(one("sandbox", "ConfigMap")["data"]["gateway.conf"])
            files = pathlib.Path(folder) / "files"
            files.mkdir(mode=0o700)
            with gateway("--config", conf, "--archive-dir", files, sandbox=False) as g:
                done = subprocess.run([BIN / "pictory-gateway", "probe", "--address", g.grpc], timeout=60)
                self.assertEqual(done.returncode, 0)
                g.process.terminate()
                self.assertEqual(g.process.wait(timeout=60), 0, g.log.read_text())

    def test_takes_every_rendered_config(self):
        for values in VALUES:
            with self.subTest(values.stem), tempfile.TemporaryDirectory() as folder:
                text = one(values.stem, "ConfigMap")["data"]["gateway.conf"]
                conf = pathlib.Path(folder) / "gateway.conf"
                conf.write_text(text + "this-is-no-setting = 1\n")
                env = {key: value for key, value in os.environ.items() if not key.startswith("PICTORY_")}
                done = subprocess.run([BIN / "pictory-gateway", "--config", conf], env=env, capture_output=True, text=True, timeout=60)
                self.assertEqual(done.returncode, 2)
                [complaint] = done.stderr.splitlines()  # nothing else of it is wrong
                self.assertIn(f"{conf}:{text.count(chr(10)) + 1}: there is no such setting", complaint)


if __name__ == "__main__":
    unittest.main()
