import { Page } from "../parts/page";

export function ConnectionsPage() {
  return <Page title="Connections">{null}</Page>;
}
