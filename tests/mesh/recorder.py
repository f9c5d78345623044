"""A gRPC server that takes every call, fails the first ones, and writes down what came with each."""

import concurrent.futures

import grpc

NOTED = ("x-request-id", "x-envoy-attempt-count", "grpc-previous-rpc-attempts")


class Recorder:
    def __init__(self):
        self.fail, self.seen = 0, []
        self.server = grpc.server(concurrent.futures.ThreadPoolExecutor(4), handlers=[self],
                                  options=[("grpc.so_reuseport", 0)])
        self.target = f"127.0.0.1:{self.server.add_insecure_port('127.0.0.1:0')}"
        self.server.start()

    def service(self, call):
        """grpc asks who handles a call; the metadata is there already."""
        given = dict(call.invocation_metadata)
        return grpc.unary_unary_rpc_method_handler(lambda request, context: self.answer(given, context))

    def answer(self, given, context):
        self.seen.append([given.get(name) for name in NOTED])
        if len(self.seen) <= self.fail:
            context.abort(grpc.StatusCode.UNAVAILABLE, "once more")
        return b""

    def expect(self, failures):
        self.fail, self.seen = failures, []

    def rows(self):
        """The attempts so far as three texts: equal ids have the same letter and number, – is none."""
        names = {None: "–"}
        for attempt in self.seen:
            names.setdefault(attempt[0], f"r{len(names)}")
        ids = [names[attempt[0]] for attempt in self.seen]
        counts = [[attempt[column] or "–" for attempt in self.seen] for column in (1, 2)]
        return tuple(" ".join(each) for each in (ids, *counts))

    def end(self):
        self.server.stop(None)
