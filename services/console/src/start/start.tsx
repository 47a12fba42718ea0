import { useQuery } from "@connectrpc/connect-query";
import { Skeleton, Stack, Title } from "@mantine/core";
import { StatusService } from "../gen/sallyport/admin/v1/status_service_pb";
import { Copy } from "../parts/copy";
import { Page } from "../parts/page";
import { Problem } from "../parts/problem";

/** Getting started: from nothing to the first call. */
export function Start() {
  const { data: status, error, refetch } = useQuery(StatusService.method.getStatus, {});
  return (
    <Page title="Getting started" lead="Four steps from here to an assistant that works by your rules.">
      {error && <Problem error={error} onRetry={refetch} />}
      <Stack maw="44rem">
        <Title order={2}>MCP server URL</Title>
        {status ? <Copy value={status.mcpUrl} what="the MCP server URL" /> : <Skeleton h={38} />}
      </Stack>
    </Page>
  );
}
