import { convertCssVariables, DEFAULT_THEME, defaultCssVariablesResolver, mergeMantineTheme } from "@mantine/core";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";
import { theme } from "./src/theme.ts";

// Mantine would put the theme's variables into a style element, which the content security policy
// doesn't take: this makes them a style sheet.
const name = "virtual:theme.css";
const themeStyles: Plugin = {
  name: "theme",
  resolveId: (id) => (id === name ? `\0${name}` : undefined),
  load: (id) =>
    id === `\0${name}`
      ? convertCssVariables(defaultCssVariablesResolver(mergeMantineTheme(DEFAULT_THEME, theme)), ":root")
      : undefined,
};

// make build puts the pages where Envoy finds them.
export default defineConfig({
  plugins: [react(), themeStyles],
  build: {
    outDir: "../../bin/console",
    emptyOutDir: true,
    // The first that know light-dark().
    target: ["chrome123", "edge123", "firefox120", "safari17.5"],
    chunkSizeWarningLimit: 1000,
    // The content security policy takes no data: URL for scripts and styles.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
