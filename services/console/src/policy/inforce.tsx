import type { GetPolicyResponse } from "../gen/sallyport/admin/v1/policy_service_pb";
import { Time } from "../parts/time";
import classes from "./policy.module.css";

/** Which version is in force, and who saved it when and why. */
export function InForce({ inForce }: { inForce: GetPolicyResponse }) {
  if (inForce.version === 0n) {
    return (
      <p className={classes.force}>
        <b>No policy is in force</b> <span>Until one is saved, every call is refused.</span>
      </p>
    );
  }
  return (
    <p className={classes.force} id="in-force" tabIndex={-1}>
      <b>Version {String(inForce.version)} is in force</b>{" "}
      <span>
        · saved by {inForce.savedBy}
        {inForce.savedAt && (
          <>
            , <Time at={inForce.savedAt} />
          </>
        )}
        {inForce.message && ` · ${inForce.message}`}
      </span>
    </p>
  );
}
