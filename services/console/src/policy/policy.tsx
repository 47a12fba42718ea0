import { useQuery } from "@connectrpc/connect-query";
import { Skeleton, Stack } from "@mantine/core";
import { PolicyService } from "../gen/sallyport/admin/v1/policy_service_pb";
import { Page } from "../parts/page";
import { Problem } from "../parts/problem";
import { Editor } from "./editor";

/** Access policy: what assistants may do. */
export function PolicyPage() {
  // So that it shows when somebody else has saved.
  const { data, error, refetch } = useQuery(PolicyService.method.getPolicy, {}, { refetchInterval: 20_000 });
  if (data) return <Editor inForce={data} />;
  return (
    <Page title="Access policy" lead="What AI assistants may do.">
      {error ? (
        <Problem error={error} onRetry={refetch} />
      ) : (
        <Stack gap="sm" aria-busy>
          <Skeleton h={20} maw={420} />
          <Skeleton h={36} />
          <Skeleton h={36} mt="md" />
          <Skeleton h={160} />
        </Stack>
      )}
    </Page>
  );
}
