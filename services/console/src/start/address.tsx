import { Group, Stack, Text, Title } from "@mantine/core";
import { type GetStatusResponse, SetupState } from "../gen/sallyport/admin/v1/status_service_pb";
import { Copy } from "../parts/copy";
import { Prose } from "../parts/prose";
import { State } from "../parts/state";
import { setupItem, setupTone, setupWord } from "./setup";

/** The URL that assistants connect to, or what is missing before they can. */
export function Address({ status }: { status: GetStatusResponse }) {
  const item = setupItem(status, "public_url");
  const ready = !item || item.state === SetupState.DONE;
  return (
    <Stack gap="xs" component="section" aria-labelledby="address">
      <Group gap="sm">
        <Title order={2} id="address">
          MCP server URL
        </Title>
        {item && !ready && <State tone={setupTone(item)}>{setupWord(item)}</State>}
      </Group>
      <Copy value={status.mcpUrl} what="the MCP server URL" />
      <Text size="sm" c="dimmed">
        {ready ? "Assistants connect to this address, and to nothing of Atlassian's." : <Prose>{item.detail}</Prose>}
      </Text>
    </Stack>
  );
}
