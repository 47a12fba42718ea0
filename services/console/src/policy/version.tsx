import { useQuery } from "@connectrpc/connect-query";
import { Button, Select, Skeleton, Text, Title } from "@mantine/core";
import { useSearchParams } from "react-router";
import { type GetPolicyResponse, PolicyService, type PolicyVersion } from "../gen/sallyport/admin/v1/policy_service_pb";
import { Problem } from "../parts/problem";
import { Time } from "../parts/time";
import { Changes } from "./changes";
import { documentOf } from "./draft";
import classes from "./history.module.css";
import { effectWord, ruleText } from "./words";

type Props = {
  version: bigint;
  /** Those that are known, newest first. */
  versions: readonly PolicyVersion[];
  inForce: bigint;
  onRollback: (version: GetPolicyResponse) => void;
};

/** A version: who saved it, when and why, what is different from another one, its rules, and rolling back to it. */
export function Version({ version, versions, inForce, onRollback }: Props) {
  const { data, error, refetch } = useQuery(PolicyService.method.getPolicy, { version }, { staleTime: Infinity });
  if (error) return <Problem error={error} onRetry={refetch} />;
  if (!data) return <Skeleton h={320} />;
  const { defaultEffect, rules } = documentOf(data.policy);
  return (
    <section aria-label={`Version ${version}`}>
      <div className={classes.head}>
        <div>
          <Title order={2}>
            Version {String(version)}
            {version === inForce && ", in force"}
          </Title>
          <Text size="sm" c="dimmed">
            Saved by {data.savedBy}
            {data.savedAt && (
              <>
                , <Time at={data.savedAt} />
              </>
            )}
          </Text>
          {data.message && <Text size="sm">{data.message}</Text>}
        </div>
        {version !== inForce && (
          <Button variant="default" onClick={() => onRollback(data)}>
            Roll back to this version
          </Button>
        )}
      </div>
      <Comparison version={version} versions={versions} inForce={inForce} />
      <Title order={3} size="h5" mt="lg" mb={4}>
        All rules
      </Title>
      <ol className={classes.rules}>
        {rules.map((rule) => (
          <li key={rule.id}>{ruleText(rule)}</li>
        ))}
      </ol>
      <Text size="sm" mt={4}>
        Where no rule matches: {effectWord(defaultEffect).toLowerCase()}.
      </Text>
    </section>
  );
}

/** What is different in a version from another one, at first from the one before. */
function Comparison({ version, versions, inForce }: Omit<Props, "onRollback">) {
  const [search, setSearch] = useSearchParams();
  const named = search.get("compare") ?? "";
  const other = /^[1-9]\d*$/.test(named) ? BigInt(named) : version - 1n;
  const { data, error, refetch } = useQuery(
    PolicyService.method.comparePolicies,
    { before: { source: { case: "version", value: other } }, after: { source: { case: "version", value: version } } },
    { enabled: other > 0n },
  );
  const others = new Set([inForce, version - 1n, other, ...versions.map((one) => one.version)]);
  const options = [...others].filter((one) => one > 0n && one !== version).sort((a, b) => Number(b - a));
  if (options.length === 0) return null;
  return (
    <>
      <Select
        label="Compare with"
        maw={260}
        mb="xs"
        allowDeselect={false}
        placeholder="Choose a version"
        data={options.map((one) => {
          const about = one === inForce ? ", in force" : one === version - 1n ? ", the one before" : "";
          return { value: String(one), label: `Version ${one}${about}` };
        })}
        value={other > 0n ? String(other) : null}
        onChange={(chosen) => {
          const address = new URLSearchParams(search);
          address.set("version", String(version));
          address.set("compare", chosen ?? "");
          setSearch(address, { replace: true });
        }}
      />
      {other > 0n && (
        <section aria-label={`What is different from version ${other}`}>
          {error ? (
            <Problem error={error} onRetry={refetch} />
          ) : data ? (
            <Changes changes={data.changes} />
          ) : (
            <Skeleton h={60} />
          )}
        </section>
      )}
    </>
  );
}
