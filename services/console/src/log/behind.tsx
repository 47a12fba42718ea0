import { durationMs } from "@bufbuild/protobuf/wkt";
import { useQuery } from "@connectrpc/connect-query";
import { Text } from "@mantine/core";
import { StatusService } from "../gen/sallyport/admin/v1/status_service_pb";
import { count, span } from "./words";

/** How long an entry may wait before it is said, in milliseconds. */
const soon = 10_000;

/** Says how far the log is behind what happens, and what it can't find, where that is so. */
export function Behind() {
  const { data } = useQuery(StatusService.method.getStatus, {}, { refetchInterval: 15_000 });
  const waits = data && data.waiting > 0n && data.behind && durationMs(data.behind) > soon;
  return (
    <div role="status">
      {waits && data.behind && (
        <Text size="sm" mt="xs">
          The log is {span(data.behind)} behind, by {count(data.waiting, "entry", "entries")}. Nothing is lost: all of
          it comes here when Elasticsearch has caught up.
        </Text>
      )}
      {data && data.aside > 0n && (
        <Text size="sm" mt="xs">
          Elasticsearch refuses {count(data.aside, "entry", "entries")}, which no search finds:{" "}
          <code>sallyport log rejected</code> lists them.
        </Text>
      )}
    </div>
  );
}
