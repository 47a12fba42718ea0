import { Page } from "../parts/page";

export function PolicyPage() {
  return <Page title="Access policy">{null}</Page>;
}
