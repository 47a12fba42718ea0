import { Button, List, Stack, Text } from "@mantine/core";
import { Copy } from "../parts/copy";
import { To } from "../parts/to";
import { Below } from "./below";
import { claudeCode, cursorFile, cursorLink, remoteFile, vscodeCommand, vscodeLink } from "./links";
import { Steps } from "./steps";

type Props = { url: string };

/** claude.ai, Claude Desktop and the apps. */
export function Claude({ url }: Props) {
  return (
    <Stack gap="sm">
      <Steps>
        <List.Item>
          In Claude, open <To path="https://claude.ai/customize/connectors">Customize, Connectors</To>, choose <b>+</b>{" "}
          and <b>Add custom connector</b>. On a Team or Enterprise plan an owner does it once for all, under{" "}
          <b>Organization settings</b>, <b>Connectors</b>, <b>Add</b>, <b>Custom</b>, <b>Web</b>.
        </List.Item>
        <List.Item>
          Name it Sallyport, paste the MCP server URL, leave the advanced settings empty, and choose <b>Add</b>.
          <Below>
            <Copy value={url} what="the URL for Claude" />
          </Below>
        </List.Item>
        <List.Item>
          Choose <b>Connect</b>, allow it on Sallyport's page, and sign in with Atlassian.
        </List.Item>
      </Steps>
      <Reached url={url} from="Anthropic's cloud" />
    </Stack>
  );
}

/** The command line. */
export function ClaudeCode({ url }: Props) {
  return (
    <Steps>
      <List.Item>
        At a terminal, add Sallyport.
        <Below>
          <Copy value={claudeCode.add(url)} what="the command that adds it" />
        </Below>
      </List.Item>
      <List.Item>
        Sign in: your browser opens.
        <Below>
          <Copy value={claudeCode.signIn} what="the command that signs in" />
        </Below>
      </List.Item>
    </Steps>
  );
}

/** On the web, by developer mode. */
export function ChatGPT({ url }: Props) {
  return (
    <Stack gap="sm">
      <Steps>
        <List.Item>
          In ChatGPT on the web, turn on <b>Developer mode</b> in <b>Settings</b>: under <b>Apps</b>,{" "}
          <b>Advanced settings</b>, or under <b>Security and login</b>. In a company's workspace an admin allows it
          first, under <b>Workspace settings</b>, <b>Permissions & roles</b>.
        </List.Item>
        <List.Item>
          Under <b>Settings</b>, <b>Apps</b>, choose <b>Create app</b>. Name it Sallyport, paste the MCP server URL, and
          choose <b>OAuth</b>.
          <Below>
            <Copy value={url} what="the URL for ChatGPT" />
          </Below>
        </List.Item>
        <List.Item>Connect it, allow it on Sallyport's page, and sign in with Atlassian.</List.Item>
      </Steps>
      <Reached url={url} from="OpenAI's cloud" />
    </Stack>
  );
}

/** By its install link. */
export function Cursor({ url }: Props) {
  return (
    <Stack gap="sm" align="flex-start">
      <Button component="a" href={cursorLink(url)} variant="default">
        Add to Cursor
      </Button>
      <Text size="sm">Cursor opens and asks whether to install it. Then sign in from its MCP settings.</Text>
      <Text size="sm">Without the link, put this into ~/.cursor/mcp.json:</Text>
      <Copy value={cursorFile(url)} what="Cursor's configuration" />
    </Stack>
  );
}

/** By its install link, or its command line. */
export function VSCode({ url }: Props) {
  return (
    <Stack gap="sm" align="flex-start">
      <Button component="a" href={vscodeLink(url)} variant="default">
        Add to VS Code
      </Button>
      <Text size="sm">VS Code opens and asks whether to install it. Start it there, and allow it to sign in.</Text>
      <Text size="sm">At a terminal of macOS or Linux this does the same:</Text>
      <Copy value={vscodeCommand(url)} what="VS Code's command" />
    </Stack>
  );
}

/** Whatever else speaks MCP. */
export function Others({ url }: Props) {
  return (
    <Stack gap="sm">
      <Text size="sm">
        Any assistant that speaks MCP over HTTP and signs in by OAuth takes the URL as it is; leave client id and secret
        empty.
      </Text>
      <Copy value={url} what="the URL" />
      <Text size="sm">One that knows local servers only takes it by way of mcp-remote:</Text>
      <Copy value={remoteFile(url)} what="the configuration for mcp-remote" />
    </Stack>
  );
}

/** That an assistant comes from elsewhere, and whether it can. */
function Reached({ url, from }: { url: string; from: string }) {
  return (
    <Text size="sm" c="dimmed">
      {url.startsWith("https://")
        ? `It connects from ${from}, so that the address has to be reachable from the internet.`
        : `It connects from ${from}, which can't reach this address: it needs an https:// URL. Claude Code, Cursor and VS Code work on this computer.`}
    </Text>
  );
}
