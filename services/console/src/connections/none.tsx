import { Button } from "@mantine/core";
import { Empty } from "../parts/empty";
import { To } from "../parts/to";

/** What stands here before anybody has connected. */
export function NoConnections() {
  return (
    <Empty title="Nobody has connected an assistant yet">
      People do so by adding Sallyport's URL to theirs. <To path="/">Getting started</To> shows it, with the steps for
      each assistant.
    </Empty>
  );
}

/** What stands here when nobody fits the search. */
export function NotFound({ user, onAll }: { user: string; onAll: () => void }) {
  return (
    <Empty title="No connection of theirs">
      <p>
        Nobody called “{user}” has connected an assistant, or they were disconnected. Where there are very many
        connections, type the whole e-mail address.
      </p>
      <Button variant="default" onClick={onAll}>
        Show all
      </Button>
    </Empty>
  );
}
