import { Group, Stack, Text, Title } from "@mantine/core";
import { type GetStatusResponse, type SetupItem, SetupState } from "../gen/sallyport/admin/v1/status_service_pb";
import { Prose } from "../parts/prose";
import { State } from "../parts/state";
import { Time } from "../parts/time";
import { setupItem, setupTone, setupWord } from "./setup";

const items = [
  { name: "native_door", title: "The way past Sallyport", good: "It is shut." },
  { name: "api_tokens", title: "API tokens", good: "They are turned off." },
  { name: "ip_allowlist", title: "IP allowlist", good: "Atlassian answers calls from Sallyport's address." },
  { name: "sites", title: "Who may sign in", good: "Only accounts of your Atlassian sites may." },
  { name: "groups", title: "Groups", good: "Jira tells Sallyport people's groups." },
  { name: "tools", title: "The site's tools", good: "All that the site offers are reviewed." },
];

/** The items of the set-up that don't have a step of their own. */
export function restOf(status: GetStatusResponse): SetupItem[] {
  return items.flatMap(({ name }) => setupItem(status, name) ?? []);
}

/** What else belongs to a complete set-up, and how far it is. */
export function Rest({ status }: { status: GetStatusResponse }) {
  return (
    <Stack gap="lg">
      {items.map(({ name, title, good }) => {
        const item = setupItem(status, name);
        return item && <Item key={name} item={item} title={title} good={good} />;
      })}
    </Stack>
  );
}

function Item({ item, title, good }: { item: SetupItem; title: string; good: string }) {
  return (
    <div>
      <Group gap="sm" mb={4}>
        <Title order={3} fz="sm">
          {title}
        </Title>
        <State tone={setupTone(item)}>{setupWord(item)}</State>
      </Group>
      <Text size="sm" c="dimmed">
        {item.state === SetupState.DONE ? good : <Prose>{item.detail}</Prose>}
        {item.state === SetupState.DONE && item.checkedAt && (
          <>
            {" "}
            Seen <Time at={item.checkedAt} />.
          </>
        )}
      </Text>
    </div>
  );
}
