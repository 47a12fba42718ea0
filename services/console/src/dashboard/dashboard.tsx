import { useQuery } from "@connectrpc/connect-query";
import { Anchor, Skeleton, Stack, Text } from "@mantine/core";
import { keepPreviousData, skipToken } from "@tanstack/react-query";
import { Link, useSearchParams } from "react-router";
import { DashboardService, type GetDashboardResponse } from "../gen/sallyport/admin/v1/dashboard_service_pb";
import { Empty } from "../parts/empty";
import { Page } from "../parts/page";
import { Problem } from "../parts/problem";
import { Choice } from "./choice";
import classes from "./dashboard.module.css";
import { Lists } from "./lists";
import { rangeOf } from "./moments";
import { OverTime } from "./overtime";
import { Totals } from "./totals";
import { endsNow, logOf, paramsOf, ranges, readView, requestOf, timeZone, type View } from "./view";

/** The dashboard: what assistants did in a range of time, against the range before. */
export function DashboardPage() {
  const [params, setParams] = useSearchParams();
  const view = readView(params);
  const request = requestOf(view);
  const { data, error, refetch, isPlaceholderData } = useQuery(
    DashboardService.method.getDashboard,
    request ?? skipToken,
    { refetchInterval: endsNow(view) ? 60_000 : false, placeholderData: keepPreviousData },
  );

  const change = (to: Partial<View>) => setParams(paramsOf({ ...view, ...to }));
  return (
    <Page
      title="Dashboard"
      lead="What assistants asked for, what was allowed and what was blocked."
      actions={<Choice view={view} onChange={change} />}
    >
      <span className="unseen" role="status">
        {data && !isPlaceholderData && request
          ? `Shown: ${ranges.find(({ value }) => value === view.range)?.label}`
          : ""}
      </span>
      {!request ? (
        <Empty title="Choose a range">The first and the last day of it, in the field above.</Empty>
      ) : (
        <Stack gap="2.5rem" className={classes.dashboard} aria-busy={isPlaceholderData || (!data && !error)}>
          {error && <Problem title="The numbers can't be shown as of now" error={error} onRetry={refetch} />}
          {data ? <Numbers view={view} numbers={data} /> : !error && <Waiting />}
        </Stack>
      )}
    </Page>
  );
}

function Numbers({ view, numbers }: { view: View; numbers: GetDashboardResponse }) {
  const log = logOf(view, numbers.start, numbers.end);
  if (!numbers.totals || !numbers.before || !numbers.start || !numbers.end) return null;
  return (
    <>
      <Compared numbers={numbers} />
      {numbers.totals.calls === 0n ? (
        <Nothing narrowed={view.user !== "" || view.client !== ""} />
      ) : (
        <>
          <Totals totals={numbers.totals} before={numbers.before} log={log} />
          <OverTime numbers={numbers} logOf={(bucket) => logOf(view, bucket.start, bucket.end)} />
          <Lists numbers={numbers} log={log} />
        </>
      )}
    </>
  );
}

/** Which times the numbers are of. */
function Compared({ numbers: { start, end, beforeStart, beforeEnd } }: { numbers: GetDashboardResponse }) {
  if (!start || !end || !beforeStart || !beforeEnd) return null;
  return (
    <Text size="sm" c="dimmed">
      {rangeOf(start, end)}, {timeZone.replaceAll("_", " ")}, against {rangeOf(beforeStart, beforeEnd)}.
    </Text>
  );
}

function Nothing({ narrowed }: { narrowed: boolean }) {
  return (
    <Empty title="Nothing was recorded in this range">
      {narrowed ? "Choose another range, or look at all calls. " : "Choose a longer range. "}
      Is no assistant connected yet?{" "}
      <Anchor component={Link} to="/" underline="always">
        Getting started
      </Anchor>{" "}
      shows how.
    </Empty>
  );
}

/** What stands where the numbers will. */
function Waiting() {
  return (
    <>
      <Skeleton h={20} maw="40rem" />
      <Skeleton h={190} />
      <Skeleton h={310} />
      <Skeleton h={400} />
    </>
  );
}
