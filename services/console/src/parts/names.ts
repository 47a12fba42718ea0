import type { Client } from "../gen/sallyport/activity/v1/record_pb";

/** A person by Atlassian account id; the other two where Atlassian told them. */
export type Person = { id: string; email: string; name: string };

/** What a person is called. */
export function personName(person: Person): string {
  return person.name || person.email || person.id;
}

/** What an assistant is called. */
export function clientName(client: Client | undefined): string {
  return client?.name || client?.key || "an assistant without a name";
}

/** Says whether a client is Sallyport's own, by which admins sign in. */
export function isOwn(client: Client | undefined): boolean {
  return client?.key === "sallyport-console" || client?.key === "sallyport-cli";
}
