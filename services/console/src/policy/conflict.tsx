import { Button, Group, Text, Title } from "@mantine/core";
import type { PolicyConflict } from "../gen/sallyport/admin/v1/policy_service_pb";
import { Time } from "../parts/time";
import { Changes } from "./changes";

type Props = {
  conflict: PolicyConflict;
  /** Whether what is mine is an older version, which takes the place of theirs as a whole. */
  rollback: boolean;
  onTheirs: () => void;
  onMine: () => void;
};

/** Both sides of a change that somebody else overtook, and which to go on with. */
export function Conflict({ conflict, rollback, onTheirs, onMine }: Props) {
  const { inForce, theirChanges, yourChanges } = conflict;
  return (
    <>
      <Text role="alert" size="sm" mb="md">
        <b>Somebody else saved meanwhile.</b> Version {String(inForce?.version)} was saved by {inForce?.savedBy}
        {inForce?.savedAt && (
          <>
            , <Time at={inForce.savedAt} />
          </>
        )}
        {inForce?.message && <>: “{inForce.message}”</>}. Yours isn't saved.
      </Text>
      <Title order={3} size="h5" mb={4}>
        They changed
      </Title>
      <Changes changes={theirChanges} />
      <Title order={3} size="h5" mt="md" mb={4}>
        {rollback ? "Rolling back changes" : "You changed"}
      </Title>
      <Changes changes={yourChanges} />
      <Text size="xs" c="dimmed" mt="md">
        {rollback
          ? "Rolling back all the same takes back what they changed, too, and shows you the difference before."
          : "Taking theirs drops what you changed. Putting yours on top makes your changes in their version, and shows you the difference before you save."}
      </Text>
      <Group mt="sm" justify="flex-end" gap="xs">
        <Button variant="default" onClick={onTheirs}>
          {rollback ? "Leave theirs" : "Take theirs"}
        </Button>
        <Button onClick={onMine}>{rollback ? "Roll back all the same" : "Put mine on top"}</Button>
      </Group>
    </>
  );
}
