import { CloseButton, Tabs, TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useRef } from "react";
import { useSearchParams } from "react-router";
import { Page } from "../parts/page";
import { Found } from "./found";

/** Who is connected with which assistant, and the end of it. */
export function ConnectionsPage() {
  const [parameters, setParameters] = useSearchParams();
  const search = useRef<HTMLInputElement>(null);
  const user = parameters.get("user") ?? "";
  const kind = parameters.get("administrative") === "1" ? "admins" : "assistants";
  const set = (name: string, value: string) =>
    setParameters(
      (before) => {
        const after = new URLSearchParams(before);
        after.delete(name);
        if (value) after.set(name, value);
        return after;
      },
      { replace: true, preventScrollReset: true },
    );
  return (
    <Page title="Connections" lead="A connection is one sign-in: this person lets this assistant act for them.">
      <TextInput
        ref={search}
        type="search"
        aria-label="Search by person"
        placeholder="Name, e-mail address or account id"
        maw="24rem"
        mb="md"
        value={user}
        onChange={({ currentTarget }) => set("user", currentTarget.value)}
        leftSection={<IconSearch size={16} stroke={1.6} aria-hidden />}
        rightSection={user && <CloseButton size="sm" aria-label="Show all" onClick={() => set("user", "")} />}
      />
      <Tabs value={kind} onChange={(tab) => set("administrative", tab === "admins" ? "1" : "")} keepMounted={false}>
        <Tabs.List>
          <Tabs.Tab value="assistants">Assistants</Tabs.Tab>
          <Tabs.Tab value="admins">Admins</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value={kind} pt="md">
          <Found
            user={user}
            administrative={kind === "admins"}
            onAll={() => set("user", "")}
            onEnded={() => search.current?.focus()}
          />
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}
