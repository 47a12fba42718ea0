import { createTheme, Drawer, type MantineColorsTuple, Menu, Modal } from "@mantine/core";

const brand: MantineColorsTuple = [
  "#eef0fc",
  "#dbdff7",
  "#b5bdee",
  "#8d99e5",
  "#6b7ade",
  "#5667da",
  "#3b4cca",
  "#3342b4",
  "#2c3a9f",
  "#222e85",
];

// Locking the page's scrolling would take a style element, which the content security policy doesn't take.
const overlay = { defaultProps: { lockScroll: false, closeButtonProps: { "aria-label": "Close" } } };

// Days of other months and weekends are too pale to be read by everybody, and what has no words needs a name.
const calendar = {
  defaultProps: {
    hideOutsideDates: true,
    weekendDays: [],
    ariaLabels: {
      monthLevelControl: "Choose a month",
      yearLevelControl: "Choose a year",
      nextMonth: "Next month",
      previousMonth: "Previous month",
      nextYear: "Next year",
      previousYear: "Previous year",
      nextDecade: "Next ten years",
      previousDecade: "Previous ten years",
    },
  },
};

/** Quiet: one colour, the system's own typeface, small corners. */
export const theme = createTheme({
  primaryColor: "brand",
  primaryShade: 6,
  colors: { brand },
  components: {
    DatePickerInput: calendar,
    DateTimePicker: calendar,
    Drawer: Drawer.extend(overlay),
    Modal: Modal.extend(overlay),
    // The placeholder can be focused, and isn't what a menu may have in it (WAI-ARIA).
    Menu: Menu.extend({ defaultProps: { withInitialFocusPlaceholder: false } }),
  },
  defaultRadius: "md",
  cursorType: "pointer",
  respectReducedMotion: true,
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace',
  headings: { fontWeight: "600", sizes: { h1: { fontSize: "1.375rem" }, h2: { fontSize: "1.0625rem" } } },
});
