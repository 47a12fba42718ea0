import { useQuery } from "@connectrpc/connect-query";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData } from "@tanstack/react-query";
import { sentence } from "../api/problem";
import { OperationService } from "../gen/sallyport/admin/v1/operation_service_pb";
import type { Effect } from "../gen/sallyport/policy/v1/policy_pb";

/** How many tools are named before the others are counted. */
const most = 6;

/** The tools that an operation pattern matches: a few, and how many more. */
export function Matches({ pattern, effect }: { pattern: string; effect: Effect }) {
  const [settled] = useDebouncedValue(pattern, 250);
  const { data, error } = useQuery(
    OperationService.method.listOperations,
    { pattern: settled, effect },
    { placeholderData: keepPreviousData, staleTime: 60_000 },
  );
  if (error) return <div role="status">{sentence(error)}</div>;
  if (!data) return <div role="status">Looking for the tools that this matches.</div>;
  const names = data.operations.map(({ name }) => name);
  const more = names.length - most;
  return (
    <div role="status">
      {names.length === 0
        ? `${settled} matches none of the ${data.known} known operations. ${settled.endsWith("*") ? "Check its spelling." : "With a star at its end it matches what begins so."}`
        : `Matches ${names.length} of ${data.known} known operations: ${names.slice(0, most).join(", ")}${more > 0 ? ` and ${more} more` : ""}.`}
    </div>
  );
}
