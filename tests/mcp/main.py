"""See run."""

import contextlib
import functools
import http.client
import json
import os
import pathlib
import re
import subprocess
import sys
import threading
import unittest
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests" / "support" / "python"))
os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")

import anyio  # noqa: E402
from agent import CancelTask, GetTask, Person, Task, Tasks, agent, job, named, problem  # noqa: E402
import mcp_types as types  # noqa: E402
from live.process import DEADLINE_SECONDS, environment, wait_until  # noqa: E402
from live.programs import BIN  # noqa: E402
from live.rig import RigTest  # noqa: E402
from live.tenants import keygen  # noqa: E402
from mcp.shared.exceptions import MCPError  # noqa: E402

NODE = ROOT / "build" / "tools" / "mcp" / "node" / "node_modules" / ".bin"
IMAGE = {"prompt": "a house by the sea"}  # 2 credits
PREVIEW = {"storyboard": {"videoName": "demo", "scenes": [{"story": "Hello there."}]}}
CAP = ("--spend-cap", 100)
FINAL = ("SUCCEEDED", "FAILED", "EXPIRED")


def is_async(test):
    @functools.wraps(test)
    def run(self):
        async def within():
            with anyio.fail_after(2 * DEADLINE_SECONDS):
                await test(self)
        anyio.run(within)
    return run


async def to_the_end(client, job_id):
    while True:
        told = job(await client.call_tool("get_job", {"jobId": job_id}))
        if told["state"].removeprefix("JOB_STATE_") in FINAL:
            return told
        await anyio.sleep(0.05)


class AgentTest(RigTest):
    def setUp(self):
        super().setUp()
        self.gateway = self.rig.gateway(self.sandbox.url)

    def command(self, *flags):
        return [BIN / "pictory-gateway", "mcp", "--server", self.gateway.grpc, *flags]

    def over_http(self, *flags):
        """Where it serves."""
        process = self.rig.spawn(*self.command("--http", "127.0.0.1:0", *flags), stderr=subprocess.PIPE, text=True,
                                 env=environment())
        self.addCleanup(process.stderr.close)
        line = process.stderr.readline()
        return re.search(r"serves at (\S+)", line)[1]

    def posts(self):
        return len(self.sandbox.accepted())


class Sdk(AgentTest):
    """The official SDK for Python."""

    @is_async
    async def test_tools_are_listed_by_both_generations(self):
        for mode, version in (("auto", "2026-07-28"), ("legacy", "2025-11-25")):
            async with agent(self.command(), mode=mode) as client:
                self.assertEqual(client.protocol_version, version)
                self.assertEqual(client.server_info.name, "pictory-gateway")
                tools = {tool.name: tool for tool in (await client.list_tools()).tools}
                self.assertEqual(len(tools), 11)
                self.assertIn("prompt", tools["generate_image"].input_schema["properties"])
                self.assertTrue(tools["get_job"].annotations.read_only_hint)
                self.assertTrue(tools["delete_job"].annotations.destructive_hint)
                self.assertIn("credits", tools["generate_video"].description)

    @is_async
    async def test_a_task_is_followed_to_its_end(self):
        for server in (self.command(*CAP), self.over_http(*CAP)):
            tasks = Tasks()
            async with agent(server, tasks=tasks) as client:
                made = job(await client.call_tool("create_preview", PREVIEW))
                self.assertEqual(made["state"], "JOB_STATE_SUCCEEDED")
                self.assertEqual(tasks.ids, [made["jobId"]])
                self.assertEqual(tasks.seen[-1], "completed")
        self.assertEqual(self.posts(), 2)  # two sessions

    @is_async
    async def test_without_the_extension_a_job_is_polled(self):
        for server, mode in ((self.command(*CAP), "auto"), (self.command(*CAP), "legacy"),
                             (self.over_http(*CAP), "auto"), (self.over_http(*CAP), "legacy")):
            async with agent(server, mode=mode) as client:
                made = job(await client.call_tool("generate_image", IMAGE))
                told = await to_the_end(client, made["jobId"])
                self.assertEqual(told["state"], "JOB_STATE_SUCCEEDED")
                read = await client.call_tool("read_result", {"jobId": made["jobId"]})
                self.assertIn(told["image"]["url"], read.structured_content["text"].replace("\\/", "/"))
                listed = await client.call_tool("list_jobs", {"pageSize": 1})
                self.assertEqual(len(listed.structured_content["jobs"]), 1)
                gone = job(await client.call_tool("delete_job", {"jobId": made["jobId"]}))
                self.assertEqual(gone["state"], "JOB_STATE_CLEANED")
                used = await client.call_tool("usage", {})
                self.assertEqual(used.structured_content["tenant"], "default")

    @is_async
    async def test_a_retry_pays_nothing(self):
        async with agent(self.command(*CAP)) as client:
            first = await client.call_tool("generate_image", IMAGE)
            again = await client.call_tool("generate_image", IMAGE)
            self.assertEqual(job(first)["jobId"], job(again)["jobId"])
            self.assertNotIn("note", first.structured_content)
            self.assertIn("nothing was paid again", again.structured_content["note"])
            self.assertEqual(self.posts(), 1)
            second = await client.call_tool("generate_image", {**IMAGE, "requestId": "on-purpose"})
            self.assertNotEqual(job(second)["jobId"], job(first)["jobId"])
            self.assertEqual(self.posts(), 2)

    @is_async
    async def test_many_at_once_are_one(self):
        async with agent(self.command(*CAP)) as client:
            ids = set()

            async def submit():
                ids.add(job(await client.call_tool("generate_image", IMAGE))["jobId"])

            async with anyio.create_task_group() as group:
                for _ in range(20):
                    group.start_soon(submit)
            self.assertEqual(len(ids), 1)
            self.assertEqual(self.posts(), 1)

    @is_async
    async def test_a_named_session_goes_on_in_another_process(self):
        ids = set()
        for _ in range(2):
            async with agent(self.command(*CAP, "--session", "film-1")) as client:
                ids.add(job(await client.call_tool("generate_image", IMAGE))["jobId"])
        self.assertEqual(len(ids), 1)
        self.assertEqual(self.posts(), 1)

    @is_async
    async def test_a_person_is_asked_above_the_cap(self):
        for server, mode in ((self.command("--spend-cap", 3), "auto"), (self.over_http("--spend-cap", 3), "auto"),
                             (self.command("--spend-cap", 3), "legacy")):
            before, person = self.posts(), Person()
            async with agent(server, person, mode=mode) as client:
                job(await client.call_tool("generate_image", IMAGE))
                self.assertEqual(person.asked, [])
                job(await client.call_tool("generate_image", {**IMAGE, "style": "vintage"}))
                self.assertEqual(len(person.asked), 1)
                self.assertIn("at most 2 AI credits", person.asked[0])
                self.assertIn("2 of 3", person.asked[0])
            self.assertEqual(self.posts(), before + 2)

    @is_async
    async def test_a_no_sends_nothing(self):
        for mode in ("auto", "legacy"):
            for person in (Person("decline"), Person("cancel"), Person(confirm=False)):
                async with agent(self.command("--spend-cap", 1), person, mode=mode) as client:
                    refused = problem(await client.call_tool("generate_image", IMAGE))
                    self.assertEqual(refused["reason"], "CONFIRMATION_REFUSED")
                self.assertEqual(len(person.asked), 1)
        self.assertEqual(self.posts(), 0)

    @is_async
    async def test_without_a_cap_and_with_always_all_are_asked_about(self):
        for flags in ((), (*CAP, "--confirm", "always")):
            person = Person()
            async with agent(self.command(*flags), person) as client:
                job(await client.call_tool("create_preview", PREVIEW))
            self.assertEqual(len(person.asked), 1)
        self.assertEqual(self.posts(), 2)
        for server, mode in ((self.command(), "auto"), (self.over_http(), "legacy")):
            async with agent(server, mode=mode) as client:
                self.assertEqual(problem(await client.call_tool("create_preview", PREVIEW))["reason"],
                                 "CONFIRMATION_NEEDED")
        self.assertEqual(self.posts(), 2)

    @is_async
    async def test_a_cost_that_nobody_knows_is_asked_about(self):
        person = Person("decline")
        async with agent(self.command(*CAP), person) as client:
            problem(await client.call_tool("render", {"projectId": "20251110090000000abcdef"}))
        self.assertIn("only Pictory knows", person.asked[0])
        self.assertEqual(self.posts(), 0)

    @is_async
    async def test_errors_say_what_is_wrong(self):
        async with agent(self.command(*CAP)) as client:
            wrong = problem(await client.call_tool("generate_image", {"promt": "a house"}))
            self.assertEqual(wrong["reason"], "INVALID_REQUEST")
            self.assertEqual(wrong["fields"][0]["field"], "promt")
            self.assertIn("did you mean prompt?", wrong["fields"][0]["description"])
            self.assertEqual(problem(await client.call_tool("get_job", {"jobId": "no-such"}))["reason"],
                             "JOB_NOT_FOUND")
            with self.assertRaisesRegex(MCPError, "did you mean generate_image"):
                await client.call_tool("generate_imag", {})
        self.assertEqual(self.posts(), 0)

    @is_async
    async def test_a_key_is_shown_to_the_gateway(self):
        key, lines = keygen("film", "ci")
        tenants = pathlib.Path(self.folder.name, "tenants.toml")
        tenants.write_text(lines)
        guarded = self.rig.gateway(self.sandbox.url, "--tenants", tenants)
        file = pathlib.Path(self.folder.name, "key")
        file.write_text(key + "\n")
        file.chmod(0o600)
        self.gateway = guarded
        async with agent(self.command()) as client:
            self.assertEqual(problem(await client.call_tool("usage", {}))["reason"], "CALLER_UNKNOWN")
        async with agent(self.command("--gateway-key-file", file)) as client:
            used = await client.call_tool("usage", {})
            self.assertEqual(used.structured_content["tenant"], "film")

    @is_async
    async def test_cancelling_is_said_truly(self):
        async with agent(self.command(*CAP), tasks=Tasks()) as client:
            preview = job(await client.call_tool("create_preview", PREVIEW))["jobId"]
            ack = await client.session.send_request(named(CancelTask, preview), types.EmptyResult)
            self.assertIn("Nothing was cancelled", ack.meta["pictory-gateway/note"])
            still = await client.session.send_request(named(GetTask, preview), Task)
            self.assertEqual(still.status, "completed")
            with self.assertRaises(MCPError):
                await client.session.send_request(named(GetTask, "no-such-task"), Task)

    @is_async
    async def test_what_waits_is_cancelled_and_costs_nothing(self):
        slow = self.rig.sandbox("--speed", "0.01")
        self.gateway = self.rig.gateway(slow.url)
        person = Person()
        async with agent(self.command(*CAP), person) as client:
            preview = job(await client.call_tool("create_preview", PREVIEW))["jobId"]
            running = await client.session.send_request(named(CancelTask, preview), types.EmptyResult)
            self.assertIn("no call that cancels it", running.meta["pictory-gateway/note"])
            render = {"previewJobId": preview, "waitForPreview": True}
            waiting = job(await client.call_tool("render", render))
            self.assertEqual(waiting["state"], "JOB_STATE_WAITING")
            self.assertEqual(len(person.asked), 1)  # nobody knows what it costs yet
            done = await client.session.send_request(named(CancelTask, waiting["jobId"]), types.EmptyResult)
            self.assertIn("is CANCELLED", done.meta["pictory-gateway/note"])
            told = await client.session.send_request(named(GetTask, waiting["jobId"]), Task)
            self.assertEqual(told.status, "cancelled")
        self.assertEqual(len(slow.accepted()), 1)

    @is_async
    async def test_hostile_texts_are_data(self):
        name = "demo\x1b[31m\u202eevil"
        async with agent(self.command(*CAP)) as client:
            made = await client.call_tool("create_preview", {**PREVIEW, "labels": {"note": name}})
            text = made.model_dump_json()
            self.assertNotIn("\\u001b", text)
            self.assertNotIn("\u202e", text)
            self.assertEqual(job(made)["labels"]["note"], "demo [31m evil")
            self.assertNotIn("evil", made.content[0].text)

    @is_async
    async def test_the_gateway_is_killed_in_the_middle(self):
        self.gateway.listen = self.gateway.grpc
        async with agent(self.command(*CAP)) as client:
            made = job(await client.call_tool("generate_image", IMAGE))
            self.gateway.process.kill()
            self.gateway.process.wait()
            away = problem(await client.call_tool("get_job", {"jobId": made["jobId"]}))
            self.assertEqual(away["reason"], "GATEWAY_UNREACHABLE")
            self.gateway.start()

            async def served():
                while (await client.call_tool("get_job", {"jobId": made["jobId"]})).is_error:
                    await anyio.sleep(0.1)

            await served()
            again = job(await client.call_tool("generate_image", IMAGE))
            self.assertEqual(again["jobId"], made["jobId"])
            self.assertEqual((await to_the_end(client, made["jobId"]))["state"], "JOB_STATE_SUCCEEDED")
        self.assertEqual(self.posts(), 1)


class Inspector(AgentTest):
    """The official inspector from npm, in its CLI mode."""

    def inspect(self, server, *arguments):
        home = pathlib.Path(self.folder.name, "home")
        home.mkdir(exist_ok=True)
        env = environment({"HOME": str(home), "PATH": f"{NODE}:{os.environ['PATH']}"})
        target = [server] if isinstance(server, str) else [str(each) for each in server]
        done = subprocess.run([NODE / "mcp-inspector", "--cli", *target, "--", *arguments, "--quiet"], env=env, text=True,
                              capture_output=True, timeout=DEADLINE_SECONDS)
        self.assertTrue(done.stdout.strip(), f"exit {done.returncode}: {done.stderr}")
        return json.loads(done.stdout)

    def test_it_lists_and_calls(self):
        # The first of them makes a job and follows it as a task to its end.
        for era in ("modern", "legacy"):
            for server in (self.command(*CAP, "--session", "inspected"), self.over_http(*CAP, "--session", "inspected")):
                tools = self.inspect(server, "--protocol-era", era, "--method", "tools/list")["tools"]
                self.assertEqual(len(tools), 11)
                made = self.inspect(server, "--protocol-era", era, "--method", "tools/call", "--tool-name",
                                    "generate_image", "--tool-args-json", json.dumps(IMAGE))
                self.assertEqual(made["structuredContent"]["job"]["state"], "JOB_STATE_SUCCEEDED")
        self.assertEqual(self.posts(), 1)

    def test_its_check_of_schemas_finds_nothing(self):
        home = pathlib.Path(self.folder.name, "home")
        home.mkdir(exist_ok=True)
        env = environment({"HOME": str(home), "PATH": f"{NODE}:{os.environ['PATH']}"})
        done = subprocess.run([NODE / "mcp-inspector", "--cli", *map(str, self.command()), "--", "--method",
                               "tools/list", "--strict"], env=env, text=True, capture_output=True, timeout=DEADLINE_SECONDS)
        self.assertEqual(done.returncode, 0, done.stderr)


class Strangers(AgentTest):
    """Who sends what he likes."""

    def talk(self, text, *flags):
        done = subprocess.run(list(map(str, self.command(*flags))), input=text, capture_output=True,
                              timeout=DEADLINE_SECONDS, env=environment())
        self.assertEqual(done.returncode, 0, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def test_what_is_malformed_is_refused_and_the_rest_is_served(self):
        lines = [b"nonsense", b"[]", b"{}", b'{"jsonrpc":"2.0","id":1}', b"\xff\xfe", b"[" * 100_000,
                 b'{"jsonrpc":"2.0","id":{},"method":"ping"}', b'{"jsonrpc":"2.0","id":"last","method":"ping"}']
        answers = self.talk(b"\n".join(lines) + b"\n")
        self.assertEqual(len(answers), len(lines))
        codes = sorted(a["error"]["code"] for a in answers if "error" in a)
        self.assertEqual(codes, [-32700, -32700, -32700, -32600, -32600, -32600, -32600])
        self.assertEqual([a["id"] for a in answers if "result" in a], ["last"])

    def test_a_flood_is_answered(self):
        count = 20_000
        text = b"".join(b'{"jsonrpc":"2.0","id":%d,"method":"ping"}\n' % i for i in range(count))
        answers = self.talk(text)
        self.assertEqual(sorted(a["id"] for a in answers), list(range(count)))

    def test_a_flood_of_submits_is_one(self):
        call = {"jsonrpc": "2.0", "method": "tools/call", "params": {"name": "generate_image", "arguments": IMAGE}}
        text = "".join(json.dumps({**call, "id": i}) + "\n" for i in range(300)).encode()
        answers = self.talk(text, *CAP)
        self.assertEqual(len(answers), 300)
        self.assertEqual(len({a["result"]["structuredContent"]["job"]["jobId"] for a in answers}), 1)
        self.assertEqual(self.posts(), 1)

    def test_the_end_of_input_ends_it(self):
        self.assertEqual(self.talk(b""), [])
        self.assertEqual(self.talk(b'{"jsonrpc":"2.0","id":1,"method":"pi'), [])

    def test_an_end_while_the_gateway_hangs_is_not_held_up(self):
        call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "usage", "arguments": {}}}
        self.gateway.process.send_signal(19)  # SIGSTOP
        try:
            self.assertEqual(self.talk((json.dumps(call) + "\n").encode()), [])
        finally:
            self.gateway.process.send_signal(18)

    def test_a_reader_that_leaves_ends_it(self):
        process = subprocess.Popen(list(map(str, self.command())), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   env=environment())
        process.stdout.close()
        with contextlib.suppress(BrokenPipeError):
            for _ in range(1000):
                process.stdin.write(b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n')
            process.stdin.flush()
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        self.assertEqual(process.wait(timeout=DEADLINE_SECONDS), 0)

    def ask(self, url, body, headers=(), method="POST"):
        where = urllib.parse.urlsplit(url)
        with contextlib.closing(http.client.HTTPConnection(where.hostname, where.port,
                                                           timeout=DEADLINE_SECONDS)) as connection:
            connection.request(method, where.path, body, {"Content-Type": "application/json", **dict(headers)})
            answer = connection.getresponse()
            return answer.status, answer.read()

    def test_no_page_and_no_other_name_comes_in(self):
        url = self.over_http(*CAP)
        ping = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
        self.assertEqual(self.ask(url, ping)[0], 200)
        self.assertEqual(self.ask(url, ping, {"Origin": "https://evil.example"})[0], 403)
        self.assertIn(self.ask(url, ping, {"Host": "evil.example"})[0], (403, 421))
        self.assertEqual(self.ask(url, ping, {"Sec-Fetch-Site": "cross-site"})[0], 403)
        self.assertEqual(self.ask(url, ping, {"Content-Type": "text/plain"})[0], 415)
        self.assertEqual(self.ask(url, None, method="GET")[0], 405)
        self.assertEqual(self.ask(url.replace("/mcp", "/other"), ping)[0], 404)
        self.assertEqual(self.ask(url, None, {"Content-Length": str(5 << 20)})[0], 413)
        self.assertEqual(self.ask(url, b"[]")[0], 400)

    def test_a_flood_over_http_is_answered(self):
        url = self.over_http(*CAP)
        ping, statuses, lock = b'{"jsonrpc":"2.0","id":1,"method":"ping"}', [], threading.Lock()

        def flood():
            for _ in range(100):
                status = self.ask(url, ping)[0]
                with lock:
                    statuses.append(status)

        threads = [threading.Thread(target=flood) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(statuses), 1600)
        self.assertLessEqual(set(statuses), {200, 429, 503})
        self.assertEqual(self.ask(url, ping)[0], 200)

    def test_a_signal_ends_it_over_http(self):
        process = self.rig.spawn(*self.command("--http", "127.0.0.1:0"), stderr=subprocess.PIPE, text=True,
                                 env=environment())
        self.assertIn("serves at", process.stderr.readline())
        process.terminate()
        self.assertEqual(process.wait(timeout=DEADLINE_SECONDS), 0)
        process.stderr.close()

    def test_other_machines_need_consent(self):
        done = subprocess.run(list(map(str, self.command("--http", "0.0.0.0:0"))), capture_output=True, text=True,
                              timeout=DEADLINE_SECONDS, env=environment())
        self.assertEqual(done.returncode, 2)
        self.assertIn("--trust-network", done.stderr)


if __name__ == "__main__":
    names = sys.argv[1:]
    unittest.main(argv=[sys.argv[0], "-v", *[each for name in names for each in ("-k", name)]])
