"""An assistant with MCP's official Python SDK, version 1 or 2. It keeps its sign-in in a file.

It prints {"authorize": URL} when its user is to open a page, and reads the URL that the browser was
sent back to. It reads {"method": "tools/list"} or {"method": "tools/call", "params"}, and prints the
result, or {"failed": reason}: one line of JSON each. With {"method": "expire"} the hour of its
access token is over by its own clock, which is all that makes this SDK refresh.
"""

import asyncio
import json
import os
import pathlib
import sys
from contextlib import asynccontextmanager
from importlib.metadata import version
from urllib.parse import parse_qs, urlsplit

from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken

FIRST = version("mcp").startswith("1.")


class File:
    """A TokenStorage that outlives the program."""

    def __init__(self, path):
        self.path = pathlib.Path(path)

    def load(self):
        return json.loads(self.path.read_text()) if self.path.exists() else {}

    def save(self, name, value):
        kept = self.load() | {name: value.model_dump(mode="json", exclude_none=True)}
        self.path.write_text(json.dumps(kept))
        os.chmod(self.path, 0o600)

    async def get_tokens(self):
        kept = self.load().get("tokens")
        return kept and OAuthToken.model_validate(kept)

    async def set_tokens(self, tokens):
        self.save("tokens", tokens)

    async def get_client_info(self):
        kept = self.load().get("client")
        return kept and OAuthClientInformationFull.model_validate(kept)

    async def set_client_info(self, client_info):
        self.save("client", client_info)


def show(value):
    print(json.dumps(value), flush=True)


async def read():
    return (await asyncio.to_thread(sys.stdin.readline)).strip()


async def open_page(url):
    show({"authorize": url})


async def wait_for_answer():
    answer = {name: values[0] for name, values in parse_qs(urlsplit(await read()).query).items()}
    if FIRST:
        return answer["code"], answer.get("state")
    from mcp.client.auth import AuthorizationCodeResult

    return AuthorizationCodeResult(code=answer["code"], state=answer.get("state"), iss=answer.get("iss"))


@asynccontextmanager
async def connected(url, provider, revision):
    async with create_mcp_http_client(auth=provider) as http:
        transport = streamable_http_client(url, http_client=http)
        if FIRST:
            from mcp import ClientSession

            async with transport as (incoming, outgoing, _), ClientSession(incoming, outgoing) as session:
                await session.initialize()
                yield session
        else:
            from mcp import Client

            async with Client(transport, mode=revision or "legacy") as client:
                yield client


async def answer(client, request):
    if request["method"] == "tools/list":
        cursor = request.get("params", {}).get("cursor")
        result = await (client.list_tools() if cursor is None else client.list_tools(cursor=cursor))
    else:
        result = await client.call_tool(request["params"]["name"], request["params"]["arguments"])
    show(result.model_dump(mode="json", by_alias=True))


def reason(error):
    """The first error inside a group of them."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"


async def main(revision, url, redirect_uri, file):
    provider = OAuthClientProvider(
        server_url=url,
        client_metadata=OAuthClientMetadata(
            client_name=f"Python SDK v{version('mcp')[0]}",
            redirect_uris=[redirect_uri],
            grant_types=["authorization_code", "refresh_token"],
            response_types=["code"],
            token_endpoint_auth_method="none",
        ),
        storage=File(file),
        redirect_handler=open_page,
        callback_handler=wait_for_answer,
    )
    line = await read()
    while line:
        try:
            async with connected(url, provider, revision) as client:
                while line:
                    request = json.loads(line)
                    if request["method"] == "expire":
                        provider.context.token_expiry_time = 1
                        show({})
                    else:
                        await answer(client, request)
                    line = await read()
        except Exception as error:
            show({"failed": reason(error)})
            line = await read()


asyncio.run(main(*sys.argv[1:]))
