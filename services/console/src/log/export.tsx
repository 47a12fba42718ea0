import { create } from "@bufbuild/protobuf";
import { ConnectError, createClient } from "@connectrpc/connect";
import { useTransport } from "@connectrpc/connect-query";
import { Button, Group, Modal, Progress, Radio, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconDownload } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";
import {
  ActivityService,
  ExportActivityRequestSchema,
  ExportFormat,
  SearchActivityRequestSchema,
} from "../gen/sallyport/admin/v1/activity_service_pb";
import { count } from "../parts/amounts";
import { Copy } from "../parts/copy";
import { Problem } from "../parts/problem";
import { commandOf, searchOf, type View } from "./view";

/** How many records a browser takes, which holds all of a file before it saves it. */
const most = 50_000;

const formats = [
  { name: "csv", ending: "csv", format: ExportFormat.CSV, label: "CSV", description: "A table with titles." },
  {
    name: "jsonl",
    ending: "jsonl",
    format: ExportFormat.JSON_LINES,
    label: "JSON lines",
    description: "All of each record, one JSON object a line.",
  },
  {
    name: "atlassian",
    ending: "jsonl",
    format: ExportFormat.ATLASSIAN_EVENTS,
    label: "Atlassian events",
    description: "One event a line, as in the organization's audit log.",
  },
];

type Props = { view: View; total: bigint | undefined; atLeast: boolean };

/** Writes all records of a view into a file: here, or on the command line where there are many. */
export function Export({ view, total, atLeast }: Props) {
  const [opened, modal] = useDisclosure(false);
  return (
    <>
      <Button size="xs" variant="default" leftSection={<IconDownload size={14} aria-hidden />} onClick={modal.open}>
        Export
      </Button>
      <Modal opened={opened} onClose={modal.close} title="Export" size="lg">
        <ExportForm view={view} total={total} atLeast={atLeast} />
      </Modal>
    </>
  );
}

function ExportForm({ view, total, atLeast }: Props) {
  const [name, setName] = useState("csv");
  const chosen = formats.find((format) => format.name === name) ?? formats[0];
  const download = useDownload();
  const command = commandOf(view, "export", "--format", name, "--output", `activity.${chosen?.ending}`);
  return (
    <Stack>
      <Text size="sm">
        {total === undefined ? "All records" : count(total, "record")}
        {atLeast && " or more"} of this view, newest first. That you export, and what, is recorded.
      </Text>
      <Radio.Group label="Format" value={name} onChange={setName}>
        <Stack gap="xs" mt="xs">
          {formats.map(({ name, label, description }) => (
            <Radio key={name} value={name} label={label} description={description} />
          ))}
        </Stack>
      </Radio.Group>
      <Group justify="space-between">
        <Text size="sm" c="dimmed" maw="22rem">
          A browser takes {most.toLocaleString()} records at most. The command line takes any number.
        </Text>
        {download.under ? (
          <Button variant="default" onClick={download.stop}>
            Stop
          </Button>
        ) : (
          <Button onClick={() => chosen && download.start(view, chosen)}>Download</Button>
        )}
      </Group>
      <div role="status">
        {download.under && (
          <>
            <Progress value={download.part} aria-label="Exported" transitionDuration={0} />
            <Text size="sm" mt={4}>
              {download.said}
            </Text>
          </>
        )}
        {!download.under && download.said && <Text size="sm">{download.said}</Text>}
      </div>
      {download.error !== undefined && (
        <Problem error={download.error} title="The file isn't whole, and wasn't saved" />
      )}
      <div>
        <Text size="sm" mb="xs">
          The same on the command line, which goes on where it was cut:
        </Text>
        <Copy value={command} what="the command" />
      </div>
    </Stack>
  );
}

function useDownload() {
  const client = createClient(ActivityService, useTransport());
  const stop = useRef<AbortController>(null);
  const [state, setState] = useState({ under: false, part: 0, said: "", error: undefined as unknown });

  useEffect(() => () => stop.current?.abort(), []);

  async function start(view: View, { ending, format }: { ending: string; format: ExportFormat }) {
    const aborted = new AbortController();
    stop.current = aborted;
    setState({ under: true, part: 0, said: "", error: undefined });
    const parts: BlobPart[] = [];
    const search = create(SearchActivityRequestSchema, searchOf(view, new Date()));
    const request = create(ExportActivityRequestSchema, { search, format });
    try {
      let said = "";
      for await (const message of client.exportActivity(request, { signal: aborted.signal })) {
        if (message.total > most) {
          throw new ConnectError(
            `These are ${message.total.toLocaleString()} records, more than a browser takes: narrow the view, or use the command below.`,
          );
        }
        parts.push(message.data as BlobPart);
        said = `${message.records.toLocaleString()} of ${count(message.total, "record")}`;
        setState({
          under: true,
          part: Number((message.records * 100n) / (message.total || 1n)),
          said,
          error: undefined,
        });
        if (message.done) {
          save(new Blob(parts), `activity.${ending}`);
          const missing =
            message.waiting > 0n
              ? ` ${message.waiting.toLocaleString()} waited for Elasticsearch when it began and are missing: export again later.`
              : "";
          const withheld = message.argumentsWithheld ? " Arguments are withheld from viewers." : "";
          setState({
            under: false,
            part: 100,
            said: `Saved ${count(message.records, "record")}.${missing}${withheld}`,
            error: undefined,
          });
          return;
        }
      }
      throw new ConnectError("The export ended before its end: try again.");
    } catch (error) {
      const stopped = aborted.signal.aborted;
      setState({
        under: false,
        part: 0,
        said: stopped ? "Stopped. Nothing was saved." : "",
        error: stopped ? undefined : error,
      });
    }
  }
  return { ...state, start, stop: () => stop.current?.abort() };
}

function save(file: Blob, name: string) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
