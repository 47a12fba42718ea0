import { Table } from "@mantine/core";
import type { ReactNode, Ref } from "react";
import classes from "./listing.module.css";

type Props = {
  label: string;
  titles: string[];
  /** What the button at the end of each row does; absent where there is none. */
  act?: string | false;
  body?: Ref<HTMLTableSectionElement>;
  /** The rows. */
  children: ReactNode;
};

/** A table of the settings, which scrolls by itself where the page is narrower. */
export function Listing({ label, titles, act, body, children }: Props) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard.
    <section className={classes.listing} tabIndex={0} aria-label={label}>
      <Table verticalSpacing="xs" data-wide={titles.length > 3 || undefined}>
        <Table.Thead>
          <Table.Tr>
            {titles.map((title) => (
              <Table.Th key={title} scope="col">
                {title}
              </Table.Th>
            ))}
            {act && (
              <Table.Th scope="col">
                <span className="unseen">{act}</span>
              </Table.Th>
            )}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody ref={body}>{children}</Table.Tbody>
      </Table>
    </section>
  );
}
