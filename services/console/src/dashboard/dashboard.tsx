import { Page } from "../parts/page";

export function DashboardPage() {
  return <Page title="Dashboard">{null}</Page>;
}
