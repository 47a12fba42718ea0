"""An assistant with MCP's official Python SDK.

It prints the page that its user is to open, as {"authorize": URL}, reads the URL that the browser
was sent back to, and then calls each tool it reads, as {"name", "arguments"}, and prints its
result: one line of JSON each.
"""

import asyncio
import json
import sys
from urllib.parse import parse_qs, urlsplit

from mcp import Client
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client
from mcp.shared.auth import OAuthClientMetadata


class Memory:
    """A TokenStorage that lasts as long as the program."""

    tokens = None
    client_info = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client_info

    async def set_client_info(self, client_info):
        self.client_info = client_info


def show(value):
    print(json.dumps(value), flush=True)


async def read():
    return (await asyncio.to_thread(sys.stdin.readline)).strip()


async def open_page(url):
    show({"authorize": url})


async def wait_for_answer():
    answer = {name: values[0] for name, values in parse_qs(urlsplit(await read()).query).items()}
    return AuthorizationCodeResult(code=answer["code"], state=answer.get("state"), iss=answer.get("iss"))


async def main(url, redirect_uri):
    provider = OAuthClientProvider(
        server_url=url,
        client_metadata=OAuthClientMetadata(
            client_name="Python SDK",
            redirect_uris=[redirect_uri],
            grant_types=["authorization_code", "refresh_token"],
            response_types=["code"],
            token_endpoint_auth_method="none",
        ),
        storage=Memory(),
        redirect_handler=open_page,
        callback_handler=wait_for_answer,
    )
    async with create_mcp_http_client(auth=provider) as http:
        async with Client(streamable_http_client(url, http_client=http)) as client:
            while line := await read():
                call = json.loads(line)
                result = await client.call_tool(call["name"], call["arguments"])
                show(result.model_dump(mode="json", by_alias=True))


asyncio.run(main(*sys.argv[1:]))
