import { Code, Pill, Skeleton, Text } from "@mantine/core";
import type { Setting } from "../gen/sallyport/admin/v1/status_service_pb";
import { number } from "../parts/amounts";
import { Problem } from "../parts/problem";
import classes from "./health.module.css";
import { Section } from "./section";
import { useStatus } from "./status";

/** For how long records are kept. */
export function Retention() {
  return (
    <Section
      id="retention"
      title="Retention"
      lead="For how long records are kept. They go by whole days, when a day's last record is that old."
    >
      <Told flags={["retention-days", "protocol-retention-days"]} height={76}>
        {([calls, protocol]) => (
          <dl className={classes.parts}>
            <Days name="Calls and changes" setting={calls} />
            <Days name="Protocol traffic" setting={protocol} />
          </dl>
        )}
      </Told>
    </Section>
  );
}

function Days({ name, setting }: { name: string; setting: Setting | undefined }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {setting?.value === "0" ? "For ever" : `${number(Number(setting?.value))} days`}
        {setting && <Where setting={setting} />}
      </dd>
    </div>
  );
}

/** What is cut out of records. */
export function Redaction() {
  return (
    <Section
      id="redaction"
      title="Redaction"
      lead="Values of arguments under these keys are cut out before anything is recorded, in any case and spelling: apiKey means X-API-Key too. Rules and Atlassian see what was sent."
    >
      <Told flags={["redact-keys"]} height={100}>
        {([keys]) => {
          const all = (keys?.value ?? "").split(",").filter(Boolean);
          return (
            <>
              <Keys label="Cut out" keys={all.filter((key) => !key.startsWith("!"))} />
              <Keys label="Left in" keys={all.filter((key) => key.startsWith("!")).map((key) => key.slice(1))} />
              {keys && <Where setting={keys} />}
            </>
          );
        }}
      </Told>
    </Section>
  );
}

function Keys({ label, keys }: { label: string; keys: string[] }) {
  if (keys.length === 0) return null;
  return (
    <dl className={classes.parts}>
      <div>
        <dt>{label}</dt>
        <dd>
          <Pill.Group gap={6} component="span">
            {keys.map((key) => (
              <Pill key={key}>{key}</Pill>
            ))}
          </Pill.Group>
        </dd>
      </div>
    </dl>
  );
}

/** By what a setting is changed. */
function Where({ setting }: { setting: Setting }) {
  return (
    <Text size="sm" c="dimmed" mt={4}>
      Set by <Code>--{setting.flag}</Code> or <Code>{setting.environment}</Code> of {setting.part}, from its restart on.
    </Text>
  );
}

type ToldProps = {
  flags: string[];
  height: number;
  children: (settings: (Setting | undefined)[]) => React.ReactNode;
};

/** Shows settings that the services tell, and says where they don't. */
function Told({ flags, height, children }: ToldProps) {
  const { data, error, refetch } = useStatus();
  if (!data) return error ? <Problem error={error} onRetry={refetch} /> : <Skeleton h={height} />;
  const settings = flags.map((flag) => data.settings.find((setting) => setting.flag === flag));
  if (settings.includes(undefined)) {
    return (
      <Text size="sm">
        The service that has this setting doesn't answer. What is wrong with it stands under Health.
      </Text>
    );
  }
  return children(settings);
}
