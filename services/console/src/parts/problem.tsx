import { Alert, Button } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { sentence } from "../api/problem";

type Props = { error: unknown; title?: string; onRetry?: () => unknown };

/** Says in a sentence what went wrong, and tries again. */
export function Problem({ error, title, onRetry }: Props) {
  return (
    <Alert role="alert" color="red" variant="light" title={title} icon={<IconAlertTriangle size={18} aria-hidden />}>
      {sentence(error)}
      {onRetry && (
        <Button mt="sm" size="xs" variant="default" display="block" onClick={() => onRetry()}>
          Try again
        </Button>
      )}
    </Alert>
  );
}
