import "@mantine/charts/styles.css";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { BarChart } from "@mantine/charts";
import { Anchor, Button, Group, Table, Text, Title } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconChevronDown, IconChevronRight } from "@tabler/icons-react";
import { Link, useNavigate } from "react-router";
import type { DashboardBucket, GetDashboardResponse } from "../gen/sallyport/admin/v1/dashboard_service_pb";
import { number } from "../parts/amounts";
import { axisOf, bucketOf } from "./moments";
import classes from "./overtime.module.css";

/** The log with the calls of a part of the range. */
type LogOf = (bucket: DashboardBucket) => (filter?: Record<string, string>) => string;

/** Allowed and blocked over the range: to be seen, and the same numbers as a table. */
export function OverTime({ numbers, logOf }: { numbers: GetDashboardResponse; logOf: LogOf }) {
  const [table, { toggle }] = useDisclosure(false);
  const Chevron = table ? IconChevronDown : IconChevronRight;
  return (
    <section>
      <Group justify="space-between" mb="sm">
        <Title order={2}>Allowed and blocked over time</Title>
        <Group gap="md" aria-hidden>
          <Text size="sm" className={classes.allowed}>
            Allowed
          </Text>
          <Text size="sm" className={classes.blocked}>
            Blocked
          </Text>
        </Group>
      </Group>
      <Chart numbers={numbers} logOf={logOf} />
      <Button
        mt="xs"
        size="compact-sm"
        variant="subtle"
        color="gray"
        c="dimmed"
        onClick={toggle}
        aria-expanded={table}
        leftSection={<Chevron size={15} aria-hidden />}
      >
        The same as a table
      </Button>
      {table && <Numbers numbers={numbers} logOf={logOf} />}
    </section>
  );
}

function Chart({ numbers, logOf }: { numbers: GetDashboardResponse; logOf: LogOf }) {
  const navigate = useNavigate();
  const { ticks, name: tickName } = axisOf(numbers);
  const data = numbers.buckets.map((bucket) => ({
    bucket,
    time: bucket.start ? timestampMs(bucket.start) : 0,
    Allowed: Number(bucket.allowed),
    Blocked: Number(bucket.blocked),
  }));
  const open = (name: string) => (bar: { payload?: (typeof data)[number] }) => {
    if (bar.payload) navigate(logOf(bar.payload.bucket)({ decision: name.toLowerCase() }));
  };
  return (
    // The table says the same to those who don't see the picture, or don't use a mouse.
    <div role="img" aria-label="Bars of allowed and blocked calls over time. The table below has the same numbers.">
      <BarChart
        h={240}
        type="stacked"
        data={data}
        dataKey="time"
        series={[
          { name: "Allowed", color: "var(--allowed)" },
          { name: "Blocked", color: "var(--blocked)" },
        ]}
        accessibilityLayer={false}
        valueFormatter={number}
        maxBarWidth={36}
        yAxisProps={{ allowDecimals: false, width: 56 }}
        xAxisProps={{ ticks, tickFormatter: tickName, minTickGap: 24, interval: "equidistantPreserveStart" }}
        tooltipProps={{ labelFormatter: (_, [first]) => first && bucketOf(numbers, first.payload.bucket) }}
        barProps={({ name }) => ({
          onClick: open(name),
          className: classes.bar,
          ...(name === "Blocked" && { fill: "url(#blocked-stripes)" }),
        })}
      >
        <defs>
          <pattern
            id="blocked-stripes"
            width="6"
            height="6"
            patternUnits="userSpaceOnUse"
            patternTransform="rotate(45)"
          >
            <rect width="6" height="6" fill="var(--blocked)" />
            <rect width="2" height="6" fill="var(--stripe)" />
          </pattern>
        </defs>
      </BarChart>
    </div>
  );
}

function Numbers({ numbers, logOf }: { numbers: GetDashboardResponse; logOf: LogOf }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard.
    <section className={classes.table} tabIndex={0} aria-label="Allowed and blocked over time, as a table">
      <Table stickyHeader horizontalSpacing="sm" verticalSpacing={4}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">Time</Table.Th>
            <Table.Th scope="col">Allowed</Table.Th>
            <Table.Th scope="col">Blocked</Table.Th>
            <Table.Th scope="col">Errors</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {numbers.buckets.map((bucket) => {
            const log = logOf(bucket);
            return (
              <Table.Tr key={bucket.start?.seconds.toString()}>
                <Table.Th scope="row" fw={400}>
                  {bucketOf(numbers, bucket)}
                </Table.Th>
                <Cell n={bucket.allowed} to={log({ decision: "allowed" })} />
                <Cell n={bucket.blocked} to={log({ decision: "blocked" })} />
                <Cell n={bucket.errors} to={log({ outcome: "error" })} />
              </Table.Tr>
            );
          })}
        </Table.Tbody>
      </Table>
    </section>
  );
}

function Cell({ n, to }: { n: bigint; to: string }) {
  return (
    <Table.Td className={classes.number}>
      {n === 0n ? (
        "0"
      ) : (
        <Anchor component={Link} to={to} size="sm">
          {number(n)}
        </Anchor>
      )}
    </Table.Td>
  );
}
