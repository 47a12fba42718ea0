import { Page } from "../parts/page";

export function LogPage() {
  return <Page title="Activity log">{null}</Page>;
}
