import { Box } from "@mantine/core";
import type { ReactNode } from "react";

/** What belongs to a step and stands below its words. */
export function Below({ children }: { children: ReactNode }) {
  return (
    <Box mt={6} mb="xs">
      {children}
    </Box>
  );
}
