const ID = /^start:([^:]{1,200}):([^:]{1,300})$/;

/** What a sub-overlord was asked to start: the method, and the call id of the first of its targets. */
export interface Start {
  method: string;
  callId: string;
}

/** Names the job of a start to the sub-overlord that was asked for it, also where that has not answered with its own id. */
export function idOfStart({ method, callId }: Start): string {
  return `start:${callId}:${method}`;
}

/** Undefined for the id of a job. */
export function startOfId(id: string): Start | undefined {
  const [, callId, method] = ID.exec(id) ?? [];
  return callId === undefined || method === undefined ? undefined : { callId, method };
}
