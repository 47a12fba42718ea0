import { Button, Group, List, Stack, Text } from "@mantine/core";
import { IconExternalLink } from "@tabler/icons-react";
import type { GetStatusResponse } from "../gen/sallyport/admin/v1/status_service_pb";
import { Copy } from "../parts/copy";
import { Prose } from "../parts/prose";
import { Time } from "../parts/time";
import { Below } from "./below";
import { setupDone, setupItem } from "./setup";
import { Steps } from "./steps";

/** How Rovo is told to let sign-ins through Sallyport come back, and whether it does. */
export function Domain({ status }: { status: GetStatusResponse }) {
  const item = setupItem(status, "rovo_domain");
  const allowed = setupDone(status, "rovo_domain");
  return (
    <Stack gap="md">
      <Text size="sm">
        Rovo sends people who signed in only to addresses that your organization allows. With Sallyport's callback URL
        on that list, sign-ins come back here. With everything else off it, no assistant reaches Jira and Confluence
        past your rules and your log.
      </Text>
      <Steps>
        <List.Item>
          Copy the callback URL.
          <Below>
            <Copy value={status.callbackUrl} what="the callback URL" />
          </Below>
        </List.Item>
        <List.Item>
          In Atlassian Administration, choose your organization, then <b>Rovo</b> and <b>Rovo MCP server</b>. Under{" "}
          <b>Domains</b>, <b>Your domains</b>, choose <b>Add domain</b>. In some organizations it is under <b>Apps</b>,{" "}
          <b>AI settings</b>.
        </List.Item>
        <List.Item>Paste the callback URL and save.</List.Item>
        <List.Item>
          Turn off <b>Allow Atlassian supported domains</b>.
        </List.Item>
      </Steps>
      <Text size="sm" c="dimmed">
        {allowed && item?.checkedAt ? (
          <>
            A sign-in came back <Time at={item.checkedAt} />.
          </>
        ) : (
          <>
            {item && <Prose>{item.detail}</Prose>} This page sees by itself when a sign-in comes back, an assistant's or
            your own.
          </>
        )}
      </Text>
      <Group gap="xs">
        <Button
          component="a"
          href="https://admin.atlassian.com"
          target="_blank"
          rel="noreferrer"
          variant="default"
          rightSection={<IconExternalLink size={16} stroke={1.6} aria-hidden />}
        >
          Open Rovo's settings
        </Button>
        <Button component="a" href="/signin?return=%2F" variant="subtle">
          Check by signing in again
        </Button>
      </Group>
    </Stack>
  );
}
