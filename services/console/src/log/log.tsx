import { ActionIcon, Group, Skeleton, Stack, Switch, Tabs, Text, Tooltip, VisuallyHidden } from "@mantine/core";
import { useLocalStorage } from "@mantine/hooks";
import { IconRefresh } from "@tabler/icons-react";
import { count } from "../parts/amounts";
import { Page } from "../parts/page";
import { Problem } from "../parts/problem";
import { useAddress } from "./address";
import { Behind } from "./behind";
import { Export } from "./export";
import { Filters } from "./filters";
import { Nothing } from "./nothing";
import { Panel } from "./panel";
import { type Records, rowCount, useRecords } from "./records";
import { Table } from "./table";
import { notLive, type View } from "./view";

/** Everything that assistants and admins did, newest first. */
export function LogPage() {
  const { view, record, ...go } = useAddress();
  const [live, setLive] = useLocalStorage({ key: "log-live", defaultValue: true, getInitialValueInEffect: false });
  const log = useRecords(view, live);
  const { error, isPending } = log.pages.query;
  const empty = !isPending && !error && rowCount(log) === 0;

  return (
    <Page
      title="Activity log"
      actions={
        <>
          <Live view={view} live={live} log={log} onChange={setLive} />
          <Export view={view} total={log.pages.last?.total} atLeast={log.pages.last?.totalAtLeast ?? false} />
        </>
      }
    >
      <Tabs
        value={view.administrative ? "admins" : "assistants"}
        onChange={(tab) => go.toKind(tab === "admins")}
        mb="md"
        keepMounted={false}
      >
        <Tabs.List>
          <Tabs.Tab value="assistants">Assistants</Tabs.Tab>
          <Tabs.Tab value="admins">Admins</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value={view.administrative ? "admins" : "assistants"} pt="md">
          <Stack gap="xs" mb="sm">
            <Filters view={view} onChange={go.toFilters} onSearch={go.toSearch} onClear={go.toAll} />
            <Total log={log} />
            <Behind />
          </Stack>
          {empty && <Nothing view={view} onChange={go.toFilters} onClear={go.toAll} />}
          {isPending && !error && <ToCome />}
          {!isPending && rowCount(log) > 0 && (
            <Table
              log={log}
              administrative={view.administrative}
              opened={record}
              linkTo={go.linkTo}
              onOpen={go.toRecord}
            />
          )}
          {error && (
            <Problem
              error={error}
              title={rowCount(log) > 0 ? "The rest can't be shown" : "The log can't be shown"}
              onRetry={log.retry}
            />
          )}
        </Tabs.Panel>
      </Tabs>
      <Panel id={record} log={log} linkTo={go.linkTo} onClose={go.toList} />
    </Page>
  );
}

function Live({
  view,
  live,
  log,
  onChange,
}: {
  view: View;
  live: boolean;
  log: Records;
  onChange: (on: boolean) => void;
}) {
  const not = notLive(view);
  const interrupted = log.tail === "connecting" && !log.pages.query.isPending;
  return (
    <Group gap="xs">
      <Tooltip label={not ?? "What is recorded comes in at the top by itself."} multiline maw={280}>
        <div>
          <Switch
            label="Live"
            checked={live && !not}
            disabled={not !== undefined}
            onChange={(event) => {
              onChange(event.currentTarget.checked);
              if (event.currentTarget.checked) log.restart();
            }}
          />
        </div>
      </Tooltip>
      {(!live || not) && (
        <Tooltip label="Refresh">
          <ActionIcon variant="subtle" color="gray" aria-label="Refresh" onClick={log.restart}>
            <IconRefresh size={16} stroke={1.6} aria-hidden />
          </ActionIcon>
        </Tooltip>
      )}
      <VisuallyHidden role="status">
        {not ?? (interrupted ? "The log is interrupted and connects again." : "")}
      </VisuallyHidden>
    </Group>
  );
}

/** How many records there are. It has its place before that is known, so that nothing moves. */
function Total({ log }: { log: Records }) {
  const { last, query } = log.pages;
  return (
    <Text size="sm" c="dimmed" component="div" mih="1.55em" role="status">
      {last ? (
        <>
          {last.totalAtLeast
            ? `${last.total.toLocaleString()}+ records`
            : count(Number(last.total) + log.added, "record")}
          {last.argumentsWithheld && " · arguments are withheld from viewers, and not searched"}
          {log.tail === "connecting" && !query.isFetching && " · connecting"}
        </>
      ) : (
        query.isPending && <Skeleton h={12} w={90} mt={6} />
      )}
    </Text>
  );
}

function ToCome() {
  return (
    <Stack gap="1.75rem" pt="3.25rem" aria-busy="true" aria-label="Loading" role="status">
      {Array.from({ length: 10 }, (_, i) => `row ${i}`).map((row) => (
        <Skeleton key={row} h={24} radius="sm" />
      ))}
    </Stack>
  );
}
