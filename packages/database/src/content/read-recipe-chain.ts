import type { Queryable } from '../connection/queryable.ts';

/**
 * Any number: recipes of the messages of a path through the prefix tree, first message first. One recursive
 * query; shorter than `depth + 1` of the leaf if a node is missing.
 *
 * @param leaf.week week of the request, `leaf.hash` its `leafNode`
 */
export async function readRecipeChain(
  client: Queryable,
  leaf: { week: number; hash: Buffer },
): Promise<Buffer[]> {
  const found = await client.query<{ recipe: Buffer }>({
    name: 'nexus-read-recipe-chain',
    // The lateral look-up goes by the primary key for each step; a join might read the week's whole table.
    text: `with recursive path as (
        select n.parent, n.depth, n.recipe
        from nexus.node n where n.week = $1::integer and n.hash = $2::bytea
        union all
        select n.parent, n.depth, n.recipe
        from path p
        cross join lateral (
          select k.parent, k.depth, k.recipe
          from nexus.node k where k.week = $1::integer and k.hash = p.parent limit 1
        ) n
      )
      select recipe from path order by depth`,
    values: [leaf.week, leaf.hash],
  });
  return found.rows.map((row) => row.recipe);
}
