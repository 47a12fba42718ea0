import { useMutation, useQuery } from "@connectrpc/connect-query";
import { Skeleton, Text } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { overtaken } from "../api/problem";
import { useMay } from "../api/session";
import { Role } from "../gen/sallyport/admin/v1/access_pb";
import { AccessService, type GetRolesResponse } from "../gen/sallyport/admin/v1/access_service_pb";
import { Problem } from "../parts/problem";
import { Time } from "../parts/time";
import { AddRole } from "./addrole";
import { type Binding, rebase, same } from "./binding";
import { Bindings } from "./bindings";
import { Overtaken } from "./overtaken";
import { SaveRoles } from "./saveroles";
import { Section } from "./section";

const { getRoles, setRoles } = AccessService.method;

/** A change of the roles that isn't saved: what it started from, and what it makes of it. */
type Draft = { base: GetRolesResponse; bindings: Binding[] };

/** Who may administer. */
export function Roles() {
  const { data, error, refetch } = useQuery(getRoles, {});
  const queries = useQueryClient();
  const admin = useMay(Role.ADMIN);
  const [draft, setDraft] = useState<Draft>();
  // All that depends on a role may be another now, one's own too.
  const save = useMutation(setRoles, {
    onSuccess: () => {
      setDraft(undefined);
      return queries.invalidateQueries();
    },
  });

  const bindings: Binding[] = draft?.bindings ?? data?.bindings ?? [];
  const edit = (next: Binding[]) => {
    const base = draft?.base ?? data;
    save.reset();
    if (base) setDraft(same(base.bindings, next) ? undefined : { base, bindings: next });
  };
  const somebodyElse = save.error && overtaken(save.error);
  const theirs = useQuery(getRoles, {}, { enabled: Boolean(somebodyElse), staleTime: 0 }).data;
  const takeOver = (next: Binding[]) => {
    save.reset();
    if (theirs) setDraft(same(theirs.bindings, next) ? undefined : { base: theirs, bindings: next });
  };
  return (
    <Section
      id="roles"
      title="Roles"
      lead="Viewers read everything but the arguments of calls, auditors those too, and admins change everything. Of several roles the highest counts, from the next request on."
      restricted="give and take roles"
    >
      {error && !data && <Problem error={error} onRetry={refetch} />}
      {!data && !error && <Skeleton h={160} />}
      {data && (
        <>
          <Bindings bindings={bindings} base={(draft?.base ?? data).bindings} onChange={admin ? edit : undefined} />
          {admin && (
            <AddRole onAdd={(binding) => edit([...bindings.filter(({ who }) => who !== binding.who), binding])} />
          )}
          {somebodyElse && draft && theirs && theirs.version !== draft.base.version && (
            <Overtaken
              theirs={theirs}
              onTheirs={() => takeOver(theirs.bindings)}
              onMine={() => takeOver(rebase(draft.base.bindings, draft.bindings, theirs.bindings))}
            />
          )}
          {save.error && !somebodyElse && <Problem title="Nothing was saved" error={save.error} />}
          {draft && !somebodyElse && (
            <SaveRoles
              busy={save.isPending}
              onSave={(message) => save.mutate({ bindings: draft.bindings, baseVersion: draft.base.version, message })}
              onDiscard={() => edit(draft.base.bindings)}
            />
          )}
          <Text size="xs" c="dimmed" mt="sm" role="status">
            {save.isSuccess && !draft ? "Saved, and in force. " : ""}
            <Saved roles={data} />
          </Text>
        </>
      )}
    </Section>
  );
}

function Saved({ roles: { version, savedAt, savedBy } }: { roles: GetRolesResponse }) {
  if (version === 0n || !savedAt) return "Roles were never saved.";
  return (
    <>
      Version {version.toString()}, saved by {savedBy}, <Time at={savedAt} />.
    </>
  );
}
