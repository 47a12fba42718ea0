import { useInfiniteQuery } from "@connectrpc/connect-query";
import { Button, NavLink, Skeleton, Text } from "@mantine/core";
import { Link, useSearchParams } from "react-router";
import { type GetPolicyResponse, PolicyService, type PolicyVersion } from "../gen/sallyport/admin/v1/policy_service_pb";
import { count } from "../parts/amounts";
import { Empty } from "../parts/empty";
import { Problem } from "../parts/problem";
import { Time } from "../parts/time";
import classes from "./history.module.css";
import { Version } from "./version";

type Props = { inForce: GetPolicyResponse; onRollback: (version: GetPolicyResponse) => void };

/** All versions of the policy, newest first, and the one that the address names. */
export function History({ inForce, onRollback }: Props) {
  const [search] = useSearchParams();
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(
    PolicyService.method.listPolicyVersions,
    { pageSize: 50, pageToken: "" },
    { pageParamKey: "pageToken", getNextPageParam: (page) => page.nextPageToken || undefined },
  );
  if (error) return <Problem error={error} onRetry={refetch} />;
  if (!data) return <Skeleton h={320} />;
  const versions = data.pages.flatMap((page) => page.versions);
  if (versions.length === 0) return <Empty title="No version yet">The first policy that is saved is version 1.</Empty>;
  const named = search.get("version") ?? "";
  const version = /^[1-9]\d*$/.test(named) ? BigInt(named) : inForce.version;
  return (
    <div className={classes.history}>
      <nav aria-label="Versions" className={classes.versions}>
        {versions.map((one) => (
          <Item key={String(one.version)} version={one} active={one.version === version} inForce={inForce.version} />
        ))}
        {hasNextPage && (
          <Button
            variant="subtle"
            size="compact-sm"
            m="xs"
            loading={isFetchingNextPage}
            onClick={() => fetchNextPage()}
          >
            Show older versions
          </Button>
        )}
      </nav>
      <Version
        key={String(version)}
        version={version}
        versions={versions}
        inForce={inForce.version}
        onRollback={onRollback}
      />
    </div>
  );
}

function Item({ version, active, inForce }: { version: PolicyVersion; active: boolean; inForce: bigint }) {
  const [search] = useSearchParams();
  const address = new URLSearchParams(search);
  address.set("version", String(version.version));
  address.delete("compare");
  return (
    <NavLink
      component={Link}
      to={`?${address}`}
      active={active}
      aria-current={active ? "true" : undefined}
      className={classes.item}
      label={
        <>
          Version {String(version.version)}
          {version.version === inForce && <span className={classes.force}>in force</span>}
        </>
      }
      description={
        <>
          {version.savedAt && <Time at={version.savedAt} />} · {version.savedBy}
          {version.message && <span className={classes.message}>{version.message}</span>}
          <Text span display="block" size="xs">
            {count(version.changes.length, "change")}
          </Text>
        </>
      }
    />
  );
}
