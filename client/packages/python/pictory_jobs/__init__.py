"""What a client of the Pictory jobs gateway needs beyond the generated stubs: a connection with the service config, a
watch that outlives broken connections, of one job or of many, calls that are repeated only where that is safe, downloads, and errors in plain
words. Every function blocks and may be called from any thread; pictory_jobs.aio has those for asyncio.

Errors are grpc.RpcError as the stubs raise it.
"""

from .calls import call, connect
from .errors import explain, field_violations, from_gateway, may_have_been_taken, reason, retry_after
from .patience import Stop
from .results import JobFailed, download, is_final, must_succeed, read_part
from .watching import watch
from .watching_jobs import watch_jobs

__version__ = "0.0.0"
__all__ = ["JobFailed", "Stop", "call", "connect", "download", "explain", "field_violations", "from_gateway", "is_final",
           "may_have_been_taken", "must_succeed", "read_part", "reason", "retry_after", "watch", "watch_jobs"]
