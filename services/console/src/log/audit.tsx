import { useQuery } from "@connectrpc/connect-query";
import { Group, SegmentedControl, Skeleton, Text } from "@mantine/core";
import { useState } from "react";
import { ActivityService, AuditFormat } from "../gen/sallyport/admin/v1/activity_service_pb";
import { Problem } from "../parts/problem";
import { CopyText, indented, Recorded } from "./json";

const formats = [
  { format: AuditFormat.ORGANIZATION, label: "Organization" },
  { format: AuditFormat.JIRA, label: "Jira" },
  { format: AuditFormat.CONFLUENCE, label: "Confluence" },
];

/** A record as Atlassian's own audit logs would tell it. */
export function Audit({ id }: { id: string }) {
  const [chosen, choose] = useState("Organization");
  const { data, error, refetch } = useQuery(ActivityService.method.getRecord, {
    id,
    formats: formats.map(({ format }) => format),
  });
  const format = formats.find(({ label }) => label === chosen)?.format;
  const form = data?.forms.find((form) => form.format === format);
  const text = form?.json ? indented(form.json) : "";
  return (
    <>
      <Group justify="space-between" py="sm">
        <SegmentedControl
          size="xs"
          aria-label="Format"
          data={formats.map(({ label }) => label)}
          value={chosen}
          onChange={choose}
        />
        {text && <CopyText value={text} what="the JSON" />}
      </Group>
      {error && <Problem error={error} onRetry={refetch} />}
      {!data && !error && <Skeleton h={320} />}
      {form?.missing && <Text size="sm">{form.missing}</Text>}
      {text && <Recorded text={text} label="Atlassian audit JSON" />}
    </>
  );
}
