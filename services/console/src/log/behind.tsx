import { durationMs } from "@bufbuild/protobuf/wkt";
import { useQuery } from "@connectrpc/connect-query";
import { Text } from "@mantine/core";
import { StatusService } from "../gen/sallyport/admin/v1/status_service_pb";
import { count, span } from "../parts/amounts";
import { To } from "../parts/to";

/** How long an entry may wait before it is said, in milliseconds. */
const soon = 10_000;

/** Says how far the log is behind what happens, and what it can't find, where that is so. */
export function Behind() {
  const { data } = useQuery(StatusService.method.getStatus, {}, { refetchInterval: 15_000 });
  const waits = data && data.waiting > 0n && data.behind && durationMs(data.behind) > soon;
  // What somebody has acknowledged is known.
  const fresh = data ? data.aside - data.asideAcknowledged : 0n;
  return (
    <div role="status">
      {waits && data.behind && (
        <Text size="sm" mt="xs">
          The log is {span(durationMs(data.behind))} behind, by {count(data.waiting, "entry", "entries")}. Nothing is
          lost: all of it comes here when Elasticsearch has caught up.
        </Text>
      )}
      {fresh > 0n && (
        <Text size="sm" mt="xs">
          Elasticsearch refuses {count(fresh, "entry", "entries")}, which no search finds.{" "}
          <To path="/settings#aside">Settings list what is kept aside.</To>
        </Text>
      )}
    </div>
  );
}
