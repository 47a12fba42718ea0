import { createBrowserRouter } from "react-router";
import { Broken } from "./shell/broken";
import { Missing } from "./shell/missing";
import { Shell } from "./shell/shell";

/** The pages. Each is loaded when it is first opened. */
export const router = createBrowserRouter([
  {
    path: "/",
    Component: Shell,
    ErrorBoundary: Broken,
    children: [
      {
        ErrorBoundary: Broken,
        children: [
          { index: true, lazy: async () => ({ Component: (await import("./start/start")).Start }) },
          { path: "policy", lazy: async () => ({ Component: (await import("./policy/policy")).PolicyPage }) },
          { path: "log", lazy: async () => ({ Component: (await import("./log/log")).LogPage }) },
          {
            path: "dashboard",
            lazy: async () => ({ Component: (await import("./dashboard/dashboard")).DashboardPage }),
          },
          {
            path: "connections",
            lazy: async () => ({ Component: (await import("./connections/connections")).ConnectionsPage }),
          },
          { path: "settings", lazy: async () => ({ Component: (await import("./settings/settings")).SettingsPage }) },
          { path: "*", Component: Missing },
        ],
      },
    ],
  },
]);
