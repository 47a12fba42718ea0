import { Text } from "@mantine/core";
import classes from "./classes.module.css";
import { meanings } from "./sure";

/** What verified, claimed and unknown mean. */
export function Classes() {
  return (
    <section aria-labelledby="classes">
      <Text id="classes" component="h2" size="sm" fw={600} mt="lg" mb="xs">
        How sure it is which assistant that is
      </Text>
      <dl className={classes.list}>
        {Object.entries(meanings).map(([word, { meaning }]) => (
          <div key={word}>
            <dt>{word[0]?.toUpperCase() + word.slice(1)}</dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
